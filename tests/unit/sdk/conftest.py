"""Telemetry without an environment, which ends with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from presage.core.recording.document import render_document
from presage.core.recording.types import MetricSettings, Recording, RecordingProfile
from presage.sdk import Telemetry

ROUTE = ("route", "outcome")
Make = Callable[..., Telemetry]


def profile(name: str = "Test", interval: int = 60, exemplars: bool = False, **every: int) -> RecordingProfile:
    """A profile of metrics by name and N, with the attributes route and outcome."""
    metrics = {metric: MetricSettings(n, ROUTE) for metric, n in every.items()}
    return RecordingProfile(name, metrics, interval, exemplars)


def recording(default: RecordingProfile, sets: int = 200, name: str = "shop") -> Recording:
    """What a function is told, for all event types alike."""
    return Recording("default", name, {}, default, sets)


def write(path: Path, default: RecordingProfile, generation: int = 1, sets: int = 200) -> Path:
    """Write the document the way a kubelet does: a new file under the old name."""
    new = path.with_suffix(".new")
    new.write_text(render_document(recording(default, sets), generation))
    new.replace(path)
    return path


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Make telemetries that end with the test; the environment names nothing."""
    for name in ("PRESAGE_PROFILE_FILE", "PRESAGE_POD_NAME", "OTEL_METRICS_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    made: list[Telemetry] = []

    def make_one(*args: object, **kwargs: object) -> Telemetry:
        made.append(Telemetry(*args, **kwargs))  # type: ignore[arg-type]
        return made[-1]

    yield make_one
    for each in made:
        each.shutdown()
