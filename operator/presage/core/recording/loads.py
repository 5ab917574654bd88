"""What is known of the load of one event type, by which it is decided what is recorded of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from presage.core.forecast.spec import ForecastSpec
from presage.core.profile import EventType
from presage.core.query import CounterLoad
from presage.core.scaling.curves import Curve, FloatArray, quantile_curve
from presage.core.scaling.foresight import LEAST_STRAY, ForecastMemory
from presage.core.scaling.outlook import SHOWN_LEVEL, Outlook, find_peak
from presage.core.source_reading import TickSample

LEVEL = SHOWN_LEVEL
"""Quantile that a profile is chosen by where the user fixes none: one that is too low records too much for a step or
two, which costs a little, and every forecast has it. The objective's own choice is about replicas, and may be none."""

DWELL_SLOTS = 2
"""Steps of the forecast that a choice must hold: what it is chosen for is looked for so much further ahead."""

SURPRISE_SIGMAS = 3.0
_BAND_SIGMAS = NormalDist().inv_cdf(SHOWN_LEVEL)


@dataclass(frozen=True, slots=True)
class EventLoad:
    """The load of one event type; what is unknown is None, never zero.

    Attributes:
        name: Of the event type.
        observed: Events per second now, or what its gauge shows.
        predicted: The same, the highest from now until a pod asked for now is ready and two steps beyond, at the upper
            quantile of the forecast.
        surprise: What is observed lies more than three standard deviations from the forecast, on either side.
        bytes_per_second: Data volume at the load that is predicted, by what an event carries now; the volume now where
            there is no such prediction.
    """

    name: str
    observed: float | None
    predicted: float | None
    surprise: bool = False
    bytes_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """When and for how long loads are looked at.

    Attributes:
        now: Epoch seconds.
        lead_s: Seconds until a pod asked for now is ready.
        max_age_s: Age of a sample up to which it counts.
    """

    now: float
    lead_s: float
    max_age_s: float


def read_load(
    event_type: EventType,
    sample: TickSample | None,
    volume: TickSample | None,
    known: ForecastMemory | None,
    ask: ForecastSpec,
    moment: Moment,
) -> EventLoad:
    """Return what is known of an event type's load.

    Args:
        event_type: Which one; the forecast is of its weight × load.
        sample: Its load now; None where the source was not asked or did not answer.
        volume: Its data volume now; None where it gives none.
        known: Its forecast in force; None before the first.
        ask: How it is forecast.
        moment: When.
    """
    observed, predicted, surprise = _find_fresh(sample, moment), None, False
    if known is not None and known.outlook.covers(moment.now):
        course = _draw(known, ask.quantile or LEVEL)
        until = moment.now + moment.lead_s + DWELL_SLOTS * ask.step_s
        peak = find_peak(course.outlook, course.upper, moment.now, until)
        predicted = None if peak is None else peak.load / event_type.weight
        surprise = known.whole_season and observed is not None and _strays(course, event_type, observed, moment.now)
    carried = _find_fresh(volume, moment)
    if carried is not None and observed and predicted is not None:
        carried *= predicted / observed
    return EventLoad(event_type.name, observed, predicted, surprise, carried)


@dataclass(frozen=True, slots=True)
class _Course:
    """A forecast with the calendar in it, NaN where nothing is forecast.

    Attributes:
        outlook: Median and upper curve.
        upper: The curve to go by.
        sigma: `(h,)` standard deviation of a slot's mean, by the distance of the 0.9 quantile from the median.
    """

    outlook: Outlook
    upper: Curve
    sigma: FloatArray


def _draw(known: ForecastMemory, level: float) -> _Course:
    forecast, before, upper = known.forecast, known.outlook, quantile_curve(level)
    courses = np.stack([forecast.point, forecast.quantiles[SHOWN_LEVEL], forecast.quantiles[level]])
    if known.adjustment is not None:
        courses = known.adjustment.apply(courses, before.start)
        courses[:, known.adjustment.find_ignored(before.start, courses.shape[1])] = math.nan
    median, band, course = courses
    sigma = np.maximum(band - median, LEAST_STRAY * np.abs(median)) / _BAND_SIGMAS
    return _Course(Outlook(before.start, before.step_s, median, {upper.name: course}), upper, sigma)


def _strays(course: _Course, event_type: EventType, observed: float, now: float) -> bool:
    """Return whether the load now is further from the forecast than chance explains; False where nothing is forecast.

    The forecast is of the mean over a slot. A counter's rate over a shorter window strays further: by the square root
    of the events that are counted in it (Poisson), of which the slot's own part is in the band already.
    """
    slot, step_s = int((now - course.outlook.start) // course.outlook.step_s), course.outlook.step_s
    median, sigma = float(course.outlook.median[slot]), float(course.sigma[slot])
    counting = 0.0
    if isinstance(event_type.load, CounterLoad):
        expected = max(0.0, median / event_type.weight)
        counting = event_type.weight**2 * expected * max(0.0, 1 / event_type.load.window_s - 1 / step_s)
    return abs(event_type.weight * observed - median) > SURPRISE_SIGMAS * math.sqrt(sigma**2 + counting)


def _find_fresh(sample: TickSample | None, moment: Moment) -> float | None:
    """Return the value of a sample; None where it is unknown, or too old or too far ahead to be of now."""
    if sample is None or sample.newest_at is None or abs(moment.now - sample.newest_at) > moment.max_age_s:
        return None
    return sample.load
