"""The command `presage retention render`: find out what is wanted, build the documents, write or print them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from presage.cli.retention.wanted import RenderError, Wanted, find_wanted
from presage.core.recording.retention.build import build_documents
from presage.core.recording.retention.documents import Document, Scraping
from presage.core.units import parse_duration


class _Plain(yaml.SafeDumper):
    """Writes what is used twice a second time, instead of a reference to it."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def retention(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    try:
        wanted = find_wanted(arguments)
        documents = build_documents(wanted.retention, _read_scraping(arguments), profiles=arguments.functions)
        if not documents:
            raise RenderError(_explain_nothing(wanted), 1)
        if arguments.output is None:
            print("---\n".join(render(document) for document in documents), end="")
        else:
            _write(documents, Path(arguments.output))
    except RenderError as error:
        print(f"presage retention render: {error}", file=sys.stderr)
        return error.exit_code
    if wanted.missing:
        print(f"presage retention render: no server for {', '.join(wanted.missing)}", file=sys.stderr)
        return 1
    return 0


def render(document: Document) -> str:
    """Return a document as YAML, with its path and purpose as comments in front."""
    content = yaml.dump(document.content, Dumper=_Plain, sort_keys=False, default_flow_style=False, width=120)
    return "".join(f"# {line}\n" for line in (document.path, *document.purpose)) + content


def _write(documents: Sequence[Document], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for document in documents:
            (folder / document.path).write_text(render(document), encoding="utf-8")
    except OSError as error:
        raise RenderError(f"cannot write to {folder}: {error}") from None
    for document in documents:
        print(f"wrote {folder / document.path}", file=sys.stderr)


def _read_scraping(arguments: argparse.Namespace) -> Scraping:
    try:
        interval_s = parse_duration(arguments.interval)
    except ValueError as error:
        raise RenderError(f"--interval: {error}") from None
    targets = tuple(each.strip() for each in arguments.targets.split(",")) if arguments.targets else ()
    return Scraping(arguments.port, arguments.path, interval_s, arguments.operator_namespace, targets)


def _explain_nothing(wanted: Wanted) -> str:
    if wanted.retention.backend == "Other":
        return "this back end keeps all series equally long: RetentionEnforced is False, reason BackendSingleRetention"
    return f"no server for {', '.join(wanted.missing)}: add them to spec.retention.tiers of the MetricSource"
