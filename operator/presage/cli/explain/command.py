"""The command `presage explain`: read the object and its source, print."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from typing import Any

from presage.adapters.kubeconfig_reader import ClusterReader, ReaderError
from presage.cli.explain.document import build_document
from presage.cli.explain.text import render
from presage.cli.live import read_profile
from presage.resources.metricsource import MetricSource


def explain(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    try:
        reader = ClusterReader(arguments.context)
        profile = read_profile(reader, arguments.object, arguments.namespace)
        source = _read_source(reader, profile)
    except ReaderError as error:
        print(f"presage explain: {error}", file=sys.stderr)
        return error.exit_code
    document = build_document(profile, source, time.time())
    if arguments.output == "json":
        print(json.dumps(document, indent=2, allow_nan=False))
    else:
        print(render(document))
    return 0 if document["decision"] else 1


def _read_source(reader: ClusterReader, profile: Mapping[str, Any]) -> Mapping[str, Any] | str:
    """Return the MetricSource, or why it cannot be read: its reader may see less than the operator does."""
    name = profile["spec"]["sourceRef"]["name"]
    try:
        return reader.find(MetricSource.meta.resource, name)
    except ReaderError as error:
        return f"MetricSource {name} cannot be read ({error})"
