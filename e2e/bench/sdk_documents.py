"""Recording documents for the bench of the SDK: the built-in profiles, and one with a sampled metric."""

from __future__ import annotations

from pathlib import Path

from presage.core.recording.catalogue import BUILT_IN
from presage.core.recording.document import render_document
from presage.core.recording.types import MetricSettings, Recording, RecordingProfile

EVENT = "order"
ATTRIBUTES = ("route", "outcome", "method")
EVERY = 100
SAMPLED, LEFT_OUT = "sampled", "left_out"


def write_built_in(path: Path, profile: str) -> None:
    """Write a document that chooses a built-in profile for everything."""
    write(path, BUILT_IN[profile])


def write_sampled(path: Path) -> None:
    """Write a document with one metric that is sampled; the other one is left out."""
    write(path, RecordingProfile("Bench", {SAMPLED: MetricSettings(EVERY, ATTRIBUTES)}))


def write(path: Path, profile: RecordingProfile) -> None:
    """Write a document that chooses this profile for everything."""
    recording = Recording("bench", "bench", {}, profile)
    path.write_text(render_document(recording, 1), encoding="utf-8")
