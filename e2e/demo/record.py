"""What one run recorded, complete enough to draw its table and its picture again (pure, JSON in and out).

Times are Unix seconds; the played day begins at ``start`` and lasts ``day_seconds``; what lies before is warm-up.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from e2e.demo.accounting import Fleet, FloatArray, PodLife
from e2e.demo.recording import Chosen, Cost, LoadLevel, Recorded

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class ForecastSample:
    """The load that was forecast for ``at`` one lead time before it, in requests a second.

    ``median`` is that of the moment itself, ``upper`` the highest upper quantile until then, which replicas are made
    for.
    """

    at: float
    median: float
    upper: float


@dataclass(frozen=True)
class Decision:
    """What presage wanted from ``at`` on, and the line of its status that says why."""

    at: float
    replicas: int
    why: str


@dataclass(frozen=True)
class OperatorUse:
    """What the operator's pods used: highest working set of one pod, mean cores of all, container restarts."""

    memory_bytes: int
    cores: float
    restarts: int


@dataclass(frozen=True)
class Counts:
    """Requests of the played day as the generator counted them, by second; ``behind`` were sent too late."""

    sent: tuple[int, ...]
    rejected: tuple[int, ...]
    late: tuple[int, ...]
    failed: tuple[int, ...]
    behind: tuple[int, ...]

    @property
    def unmet_share(self) -> float:
        """Share of the requests sent that were refused, late or failed."""
        return (sum(self.rejected) + sum(self.late) + sum(self.failed)) / max(1, sum(self.sent))

    @property
    def load(self) -> FloatArray:
        """Requests sent in each second, (n,)."""
        return np.array(self.sent, dtype=float)


@dataclass(frozen=True)
class RunRecord:
    """One played day under presage, and what the rival would have done with the same requests."""

    trace: str
    start: float
    day_seconds: int
    history_days: int
    capacity: float
    startup_seconds: float
    rival_utilization: float
    counts: Counts
    presage: Fleet
    rival: Fleet
    forecast: tuple[ForecastSample, ...] = ()
    decisions: tuple[Decision, ...] = ()
    operator: OperatorUse | None = None
    machine_busy_share: float | None = None
    warnings: tuple[str, ...] = ()
    recorded: Recorded | None = None

    def write(self, path: Path) -> None:
        """Write the record as JSON; a pod that never went has no ``gone_at``."""
        document = {"schemaVersion": SCHEMA_VERSION, **asdict(self)}
        for fleet in (document["presage"], document["rival"]):
            for life in fleet["lives"]:
                if life["gone_at"] == float("inf"):
                    del life["gone_at"]
        path.write_text(json.dumps(document, indent=1) + "\n")


def read_record(path: Path) -> RunRecord:
    """Read what ``RunRecord.write`` wrote.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a record of this version.
    """
    document = json.loads(path.read_text())
    if not isinstance(document, dict) or document.pop("schemaVersion", None) != SCHEMA_VERSION:
        raise ValueError(f"{path}: not a run record of version {SCHEMA_VERSION}")
    try:
        use, recorded = document.pop("operator"), document.pop("recorded", None)
        return RunRecord(
            counts=Counts(**{name: tuple(values) for name, values in document.pop("counts").items()}),
            presage=_read_fleet(document.pop("presage")),
            rival=_read_fleet(document.pop("rival")),
            forecast=tuple(ForecastSample(**sample) for sample in document.pop("forecast")),
            decisions=tuple(Decision(**each) for each in document.pop("decisions", ())),
            operator=OperatorUse(**use) if use else None,
            warnings=tuple(document.pop("warnings")),
            recorded=_read_recorded(recorded) if recorded else None,
            **document,
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: not a run record: {error!r}") from error


def _read_recorded(document: dict[str, Any]) -> Recorded:
    step, rows = document["cost"].pop("step_seconds"), document["cost"]
    return Recorded(
        levels=tuple(LoadLevel(**each) for each in document["levels"]),
        chosen=tuple(Chosen(**each) for each in document["chosen"]),
        in_force=tuple(document["in_force"]),
        cost=Cost(step, **{name: tuple(row) for name, row in rows.items()}),
        restarts=document["restarts"],
    )


def _read_fleet(document: dict[str, Any]) -> Fleet:
    steps = tuple((float(when), int(count)) for when, count in document["replicas"])
    return Fleet(steps, tuple(PodLife(**life) for life in document["lives"]))
