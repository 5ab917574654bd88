"""`presage generate`: write what is derived from the code, or check that it is as committed."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import yaml

from presage.cli.app import build_parser
from presage.cli.recording_schema import render_body_schema, render_header_schema
from presage.cli.reference import (
    render_backtest_document,
    render_commands,
    render_explain_document,
    render_forecast_document,
    render_simulate_document,
    render_values,
)
from presage.runtime.generate import render_all
from presage.runtime.kinds import KINDS

_CHART = "charts/presage"


def generate(root: str, *, check: bool) -> int:
    """Write every generated file below `root`, or with `check` only compare; return the exit code."""
    stale = []
    try:
        files = {**render_all(KINDS), **_render_rest(Path(root))}
    except (OSError, ValueError) as error:
        print(f"presage generate: {root} is no folder of the repository: {error}", file=sys.stderr)
        return 2
    for relative, content in files.items():
        path = Path(root, relative)
        if path.is_file() and path.read_text(encoding="utf-8") == content:
            continue
        stale.append(str(relative))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    for name in stale:
        print(f"{name} is stale: run `make crds`" if check else f"wrote {name}", file=sys.stderr)
    return 1 if stale and check else 0


def _render_rest(root: Path) -> Mapping[PurePosixPath, str]:
    """Return what is derived from the command line and from the chart."""
    schema = json.loads((root / _CHART / "values.schema.json").read_text(encoding="utf-8"))
    values = yaml.safe_load((root / _CHART / "values.yaml").read_text(encoding="utf-8"))
    return {
        PurePosixPath("docs/reference/commands.md"): render_commands(build_parser()),
        PurePosixPath("docs/reference/backtest.md"): render_backtest_document(),
        PurePosixPath("docs/reference/explain.md"): render_explain_document(),
        PurePosixPath("docs/reference/forecast.md"): render_forecast_document(),
        PurePosixPath("docs/reference/simulate.md"): render_simulate_document(),
        PurePosixPath("docs/reference/chart-values.md"): render_values(schema, values),
        PurePosixPath("docs/reference/recording-header.schema.json"): render_header_schema(),
        PurePosixPath("docs/reference/recording-body.schema.json"): render_body_schema(),
    }
