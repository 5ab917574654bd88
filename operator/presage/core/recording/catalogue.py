"""The built-in profiles, and what they become where an installation or an owner redefines them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from presage.core.recording.types import DEBUG, MINIMAL, STANDARD, MetricSettings, RecordingProfile

DEPENDENCY_LATENCY = "dependency_latency"
_TWO = ("route", "outcome")
_FOUR = (*_TWO, "method", "region")
_SIX = (*_FOUR, "tenant", "version")


def _settings(attributes: tuple[str, ...], retention: str, **every_events: int) -> dict[str, MetricSettings]:
    return {name: MetricSettings(every, attributes, retention) for name, every in every_events.items()}


BUILT_IN: Mapping[str, RecordingProfile] = {
    MINIMAL: RecordingProfile(MINIMAL, _settings(_TWO, "15d", requests=1, errors=1, latency=100), 60),
    STANDARD: RecordingProfile(
        STANDARD, _settings(_FOUR, "15d", requests=1, errors=1, latency=10, cpu=100, payload=10), 30
    ),
    DEBUG: RecordingProfile(
        DEBUG,
        {
            **_settings(_SIX, "2h", requests=1, errors=1, latency=1, cpu=1, payload=1, queue_time=1),
            DEPENDENCY_LATENCY: MetricSettings(1, (*_SIX, "dependency"), "2h"),
        },
        10,
        exemplars=True,
    ),
}
"""The three that everyone has: what each records, how often, and for how long."""


def merge_catalogues(*catalogues: Iterable[RecordingProfile]) -> dict[str, RecordingProfile]:
    """Return the built-in profiles, each redefined by the last catalogue that names it, and those only these name."""
    merged = dict(BUILT_IN)
    for catalogue in catalogues:
        merged |= {profile.name: profile for profile in catalogue}
    return merged
