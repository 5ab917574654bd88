"""What is known of one event type's load, from made forecasts: every number can be told by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from presage.core.calendar.learning import Adjustment
from presage.core.forecast.api import Series, forecast_one
from presage.core.forecast.spec import ForecastSpec
from presage.core.profile import EventType
from presage.core.query import CounterLoad, GaugeLoad
from presage.core.recording.loads import EventLoad, Moment, read_load
from presage.core.scaling.foresight import ForecastMemory
from presage.core.scaling.outlook import draw_outlook, levels_for
from presage.core.source_reading import TickSample

NOW, STEP, LEAD, MAX_AGE = 1_700_000_100.0, 300, 60.0, 60.0
START = NOW - 100  # of the slot that is under way
ASK = ForecastSpec(STEP, 86_400, 3600, (), None, None)
MOMENT = Moment(NOW, LEAD, MAX_AGE)
COUNTER = EventType("order", 1.0, CounterLoad("orders_total", (), 60.0))
GAUGE = EventType("order", 1.0, GaugeLoad("orders", ()))


def known(
    median: list[float], p90: list[float], ask: ForecastSpec = ASK, *, whole_season: bool = True
) -> ForecastMemory:
    """Return a forecast whose median and 0.9 quantile are set; all other quantiles are zero."""
    levels = levels_for(ask.quantile)
    series = Series(np.full(288, 100.0), START - 288 * STEP, STEP)
    made = forecast_one(series, len(median), levels, effort="batch")
    quantiles = dict.fromkeys(levels, np.zeros(len(median))) | {0.5: np.array(median), 0.9: np.array(p90)}
    forecast = replace(made, point=np.array(median), quantiles=quantiles)
    slot = int(START // STEP) - 1
    return ForecastMemory(forecast, draw_outlook(forecast, series, ask.quantile), slot, "full", slot, whole_season)


def sample(load: float | None, age: float = 0.0) -> TickSample:
    return TickSample(load, NOW - age, frozenset())


def read(
    observed: TickSample | None,
    forecast: ForecastMemory | None,
    event_type: EventType = GAUGE,
    volume: TickSample | None = None,
    moment: Moment = MOMENT,
    ask: ForecastSpec = ASK,
) -> EventLoad:
    return read_load(event_type, observed, volume, forecast, ask, moment)


FLAT = known([100.0] * 12, [110.0] * 12)
# The slot under way began 100 s ago: 60 s ahead and two steps more end in the third slot.
RAMP = known([10.0 * i for i in range(1, 13)], [20.0 * i for i in range(1, 13)])


@pytest.mark.parametrize(
    ("lead", "want"),
    [
        pytest.param(60.0, 60.0, id="the slots up to the lead time and two steps beyond"),
        pytest.param(199.0, 60.0, id="just before the next slot"),
        pytest.param(200.0, 80.0, id="the next slot is met"),
        pytest.param(9999.0, 240.0, id="as far as the forecast reaches"),
    ],
)
def test_the_highest_load_ahead_is_predicted(lead: float, want: float) -> None:
    assert read(sample(10.0), RAMP, moment=replace(MOMENT, lead_s=lead)).predicted == want


def test_the_users_own_quantile_is_gone_by() -> None:
    ask = replace(ASK, quantile=0.75)
    forecast = known([100.0] * 12, [110.0] * 12, ask)
    quantiles = {**forecast.forecast.quantiles, 0.75: np.full(12, 104.0)}
    assert read(
        sample(100.0), replace(forecast, forecast=replace(forecast.forecast, quantiles=quantiles)), ask=ask
    ) == (EventLoad("order", 100.0, 104.0))


def test_a_forecast_of_weighted_load_is_told_in_events() -> None:
    heavy = replace(GAUGE, weight=4.0)
    assert read(sample(25.0), FLAT, heavy) == EventLoad("order", 25.0, 27.5)
    assert read(sample(32.0), FLAT, heavy).surprise, "28 is weighted, as the forecast is: 128 against 100 ± 7.8"
    assert not read(sample(30.0), FLAT, heavy).surprise


@pytest.mark.parametrize(
    ("forecast", "observed", "want"),
    [
        pytest.param(None, sample(5.0), EventLoad("order", 5.0, None), id="no forecast yet"),
        pytest.param(FLAT, None, EventLoad("order", None, 110.0), id="the source did not answer"),
        pytest.param(FLAT, sample(None), EventLoad("order", None, 110.0), id="too few samples"),
        pytest.param(FLAT, TickSample(None, None, frozenset()), EventLoad("order", None, 110.0), id="no series"),
        pytest.param(FLAT, sample(5.0, 61.0), EventLoad("order", None, 110.0), id="an old sample"),
        pytest.param(FLAT, sample(5.0, -61.0), EventLoad("order", None, 110.0), id="a sample from the future"),
        pytest.param(
            FLAT, sample(0.0), EventLoad("order", 0.0, 110.0, surprise=True), id="no load is known to be none"
        ),
        pytest.param(
            known([math.nan] * 12, [math.nan] * 12), sample(5.0), EventLoad("order", 5.0, None), id="not a number"
        ),
    ],
)
def test_what_is_unknown_is_none(forecast: ForecastMemory | None, observed: TickSample | None, want: EventLoad) -> None:
    assert read(observed, forecast) == want


def test_a_forecast_that_has_run_out_predicts_nothing() -> None:
    late = Moment(START + 12 * STEP, LEAD, MAX_AGE)
    assert read(TickSample(1.0, late.now, frozenset()), FLAT, moment=late) == EventLoad("order", 1.0, None)


SIGMA = 10 / 1.2815515655446004  # of FLAT: 0.9 of a normal distribution lies so many below


@pytest.mark.parametrize(
    ("observed", "surprise"),
    [
        pytest.param(100 + 2.99 * SIGMA, False, id="above, within three"),
        pytest.param(100 + 3.01 * SIGMA, True, id="above, beyond three"),
        pytest.param(100 - 2.99 * SIGMA, False, id="below, within three"),
        pytest.param(100 - 3.01 * SIGMA, True, id="below, beyond three"),
    ],
)
def test_a_load_beyond_three_standard_deviations_is_a_surprise(observed: float, surprise: bool) -> None:
    assert read(sample(observed), FLAT).surprise is surprise
    unsure = replace(FLAT, whole_season=False)
    assert not read(sample(observed), unsure).surprise, "bands of less than a season mean nothing yet"


def test_an_exact_forecast_is_not_surprised_by_little() -> None:
    exact = known([100.0] * 12, [100.0] * 12)
    assert not read(sample(102.0), exact).surprise
    assert read(sample(103.0), exact).surprise, "one hundredth is what a load strays at least, at the 0.9 quantile"


def test_chance_within_the_window_of_a_rate_is_no_surprise() -> None:
    exact = known([1.0] * 12, [1.0] * 12)
    chance = math.sqrt(1.0 * (1 / 60 - 1 / 300))
    assert not read(sample(1 + 2.9 * chance), exact, COUNTER).surprise
    assert read(sample(1 + 3.1 * chance), exact, COUNTER).surprise
    assert read(sample(1 + 2.9 * chance), exact, GAUGE).surprise, "a gauge counts nothing"
    heavy = known([5.0] * 12, [5.0] * 12)
    assert not read(sample(1 + 2.9 * chance), heavy, replace(COUNTER, weight=5.0)).surprise, "whatever it weighs"


def test_the_calendar_is_in_what_is_predicted_and_nothing_is_said_of_what_it_ignores() -> None:
    factor, none = np.full(12, 2.0), np.full(12, math.nan)
    ignored = np.zeros(12, np.bool_)
    sale = replace(FLAT, adjustment=Adjustment(START, STEP, none, factor, ignored, ()))
    assert read(sample(200.0), sale) == EventLoad("order", 200.0, 220.0)
    ignored[:2] = True
    assert read(sample(5.0), sale) == EventLoad("order", 5.0, 220.0), "the third slot is not ignored"
    ignored[:] = True
    assert read(sample(5.0), sale) == EventLoad("order", 5.0, None)


@pytest.mark.parametrize(
    ("observed", "volume", "forecast", "want"),
    [
        pytest.param(sample(100.0), None, FLAT, None, id="none is given"),
        pytest.param(sample(100.0), sample(5000.0), FLAT, 5500.0, id="grows with the load"),
        pytest.param(sample(100.0), sample(5000.0, 61.0), FLAT, None, id="old"),
        pytest.param(sample(100.0), sample(5000.0), None, 5000.0, id="nothing is predicted"),
        pytest.param(sample(None), sample(5000.0), FLAT, 5000.0, id="what an event carries is unknown"),
        pytest.param(sample(0.0), sample(5000.0), FLAT, 5000.0, id="bytes without events"),
    ],
)
def test_the_volume_is_that_of_the_predicted_load(
    observed: TickSample, volume: TickSample | None, forecast: ForecastMemory | None, want: float | None
) -> None:
    assert read(observed, forecast, volume=volume).bytes_per_second == (want if want is None else pytest.approx(want))
