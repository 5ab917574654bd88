"""The load in the JSON of a command; see the command's own `FIELDS`."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

from presage.cli.loads.load import Load

SERIES_FIELDS: tuple[tuple[str, str, str], ...] = (
    ("series.name", "string", "name of the file without its ending, or the query"),
    ("series.source", "string", "file or address"),
    ("series.unit", "string", "as given by --unit, else empty; of a counter per second"),
    ("series.start", "string", "first moment, ISO 8601"),
    ("series.end", "string", "end of the last slot, ISO 8601"),
    ("series.stepSeconds", "integer", "width of a slot"),
    ("series.slots", "integer", "slots in all"),
    ("series.missingSlots", "integer", "slots without a value"),
    ("series.samples", "integer", "samples behind them"),
)
"""Path, type and meaning of each field."""


def build_series(load: Load, unit: str, moment: Callable[[float], datetime]) -> dict[str, Any]:
    """Return the load for programs.

    Args:
        load: What was read.
        unit: Of its values, empty if not known.
        moment: Epoch second -> time in the zone of the document.
    """
    values = load.grid.values
    return {
        "name": load.name,
        "source": load.source,
        "unit": unit,
        "start": moment(load.start).isoformat(),
        "end": moment(load.end).isoformat(),
        "stepSeconds": load.step,
        "slots": len(values),
        "missingSlots": sum(map(math.isnan, values.tolist())),
        "samples": load.rows,
    }
