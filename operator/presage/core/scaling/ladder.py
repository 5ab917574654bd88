"""The ladder of rungs: how far the data of one tick may be trusted.

`Live`: fresh and complete, replicas may fall. `Coasting`: the last good forecast moves along in time, replicas may
only rise. `Hold`: the forecast has run out, replicas stay. `Fallback`: data stays away for longer than the forecast
reached, and the user named a number for that; upwards only. Absence of data is never zero load.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from presage.core.source_reading import Flaw, TickSample

Rung = Literal["Live", "Coasting", "Hold", "Fallback"]
_STAY = "Replicas stay as they are until data is back."


@dataclass(frozen=True, slots=True)
class Reading:
    """What the source said at one tick, over all event types of an object.

    Attributes:
        observed: Load now. With `missing` event types or lost series it is a lower bound; None = nothing known.
        newest_at: Epoch second of the newest raw sample, of the event type where it is oldest.
        targets: Hosts and pod names of the scraped instances that contributed.
        missing: Event types without any series.
        unmeasured: Event types that have series, but too few samples for a load.
        error: Why the source did not answer; empty if it did.
        latest_at: Epoch second of the newest raw sample, of the event type where it is youngest.
        flaws: Event types whose value is no load, and why.
        samples: What was answered of each event type, in the order of the spec.
    """

    observed: float | None
    newest_at: float | None
    targets: frozenset[str]
    missing: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()
    error: str = ""
    latest_at: float | None = None
    flaws: tuple[tuple[str, Flaw], ...] = ()
    samples: tuple[TickSample, ...] = ()


@dataclass(frozen=True, slots=True)
class Reporting:
    """Which share of the target's own pods is behind the reading.

    Only pods that have been Ready for so long that a scrape must have met them are counted. Where the load is measured
    elsewhere, at an ingress say, no pod reports and none is expected to.

    Attributes:
        count: Pods that contributed.
        expected: Pods that should have, by the share that did at the last good tick; 0 before one.
    """

    count: int
    expected: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """The rung in force and why.

    Attributes:
        rung: See the module's head.
        reason: Reason of the condition `DataAvailable`.
        message: For a person.
    """

    rung: Rung
    reason: str
    message: str


def judge(reading: Reading, *, now: float, max_age_s: float, pods: Reporting, forecast_covers_now: bool) -> Judgement:
    """Return the rung for one tick; the first fault found names it.

    Args:
        reading: What the source said.
        now: Epoch seconds.
        max_age_s: Age of the newest sample up to which data counts as fresh.
        pods: How many of the target's pods report, and how many should.
        forecast_covers_now: Whether the last forecast still reaches the present.
    """
    fault = _find_fault(reading, now, max_age_s, pods)
    if fault is None:
        return Judgement("Live", "Fresh", "Samples are fresh and complete.")
    reason, what = fault
    if forecast_covers_now:
        return Judgement("Coasting", reason, f"{what} The last good forecast is followed; no replica is removed.")
    return Judgement("Hold", reason, f"{what} {_STAY}")


def fall_back(judgement: Judgement, *, blind_s: float, horizon_s: float, replicas: int | None) -> Judgement:
    """Return the last rung, where it is reached; the reason stays that of the fault.

    Args:
        judgement: Of this tick.
        blind_s: Seconds without fresh and complete data.
        horizon_s: How far ahead the load is forecast.
        replicas: The user's number for that case; None = stay on `Hold`.
    """
    if judgement.rung != "Hold" or replicas is None or blind_s <= horizon_s:
        return judgement
    what = judgement.message.removesuffix(_STAY).rstrip()
    said = f"No data for longer than the forecast reaches: at least {replicas} replicas, by fallback.replicas."
    return Judgement("Fallback", judgement.reason, f"{what} {said}")


def _find_fault(reading: Reading, now: float, max_age_s: float, pods: Reporting) -> tuple[str, str] | None:
    if reading.error:
        return "SourceUnavailable", reading.error
    if reading.missing:
        names = ", ".join(reading.missing)
        return "NoMatchingSeries", (
            f"No series matches the load of event type {names}: check metric and matchers, and that it is scraped."
        )
    if reading.flaws:
        return _describe_flaw(reading.flaws)
    if reading.observed is None or reading.newest_at is None or reading.unmeasured:
        names = ", ".join(reading.unmeasured) or "all"
        return "NoSamples", f"Too few samples for a rate, event type {names}: windowSeconds may be too short."
    if reading.latest_at is not None and reading.latest_at - now > max_age_s:
        return "FutureSamples", (
            f"The newest sample lies more than {max_age_s:g} s ahead: set the clocks of the source and of presage, and "
            "see what exports timestamps of its own."
        )
    if now - reading.newest_at > max_age_s:
        return "StaleSamples", f"The newest sample is older than {max_age_s:g} s: is the target still scraped?"
    if pods.count < math.floor(pods.expected + 1e-9):  # a share of pods need not be a whole number
        return "TargetsMissing", "Fewer of the Ready pods report than did before: some are no longer scraped."
    return None


def _describe_flaw(flaws: Sequence[tuple[str, Flaw]]) -> tuple[str, str]:
    names = ", ".join(name for name, _ in flaws)
    flaw = flaws[0][1]
    if flaw == "NotACounter":
        return "NotACounter", (
            f"The metric of event type {names} is a gauge, by the source's own metadata: give it as load.gauge, "
            "name a counter, or correct the type where it is exported."
        )
    what = {"Negative": "negative", "NotANumber": "not a number", "TooLarge": "beyond all measure"}[flaw]
    return "BadValue", f"The value of event type {names} is {what}, and no load is: see the metric and what exports it."
