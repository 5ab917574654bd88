"""The operator's whole chain on one load, in the calling process: forecast, gate, decision, tick by tick.

Nothing is computed here: the same functions as in the operator are called, with a forecaster and a replay that answer
at once. Used by simulations and benchmarks.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from presage.core.forecast.api import Forecast, Series, State, advance, forecast_one
from presage.core.forecast.spec import ForecastSpec
from presage.core.scaling.decision import ScalingMemory, decide_replicas, remember_outcome
from presage.core.scaling.demand import build_demand
from presage.core.scaling.foresight import ForecastMemory, bring_up, take_over
from presage.core.scaling.gate import GateMemory, Setting, due_span, make_setting, plan_job, take_replay
from presage.core.scaling.policy import ScalingPolicy
from presage.core.scaling.replay import Past
from presage.core.scaling.trust import find_evidence, judge_forecast
from presage.core.scaling.world import OBSERVED_S

FloatArray = NDArray[np.float64]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """An answer that was there at once, where one may have to be waited for."""

    answer: T

    def done(self) -> bool:
        """It is."""
        return True

    def result(self) -> T:
        """Return the answer."""
        return self.answer


class DirectForecaster:
    """Forecasts in the calling process."""

    async def forecast(
        self, series: Series, horizon: int, quantiles: tuple[float, ...], state: State | None
    ) -> Forecast:
        """Return the batch tier's forecast."""
        return forecast_one(series, horizon, quantiles, effort="batch", state=state)

    async def advance(
        self, state: State, new_values: FloatArray, horizon: int, quantiles: tuple[float, ...]
    ) -> Forecast:
        """Return a forecast moved on."""
        return advance([state], [new_values], horizon, quantiles)[0]

    def fit(
        self, series: Series, horizon: int, quantiles: tuple[float, ...], state: State | None
    ) -> Answered[Forecast]:
        """Return the full tier's forecast."""
        return Answered(forecast_one(series, horizon, quantiles, effort="full", state=state))


class Pilot:
    """Decides for one load whose ticks come one after the other.

    Args:
        history: (n,) mean load of each tick before the first decision, NaN = unknown.
        start: Epoch second at which the history starts.
        tick_s: Seconds a tick.
        policy: Limits, speeds, objective and capacity; `lead_time_s` must be given.
        ask: How to forecast.
        phase: Spreads refits over time.
    """

    def __init__(
        self,
        history: FloatArray,
        start: float,
        tick_s: float,
        policy: ScalingPolicy,
        ask: ForecastSpec,
        phase: str = "",
    ) -> None:
        if policy.lead_time_s is None:
            raise ValueError("a simulation needs the start-up time")
        self._ticks = _Ticks(history, start, tick_s)
        self._policy, self._ask, self._phase = policy, ask, phase
        self._lead_s = policy.lead_time_s + policy.decision_period_s
        self._forecaster = DirectForecaster()
        self._known: ForecastMemory | None = None
        self._gate = GateMemory()
        self._memory = ScalingMemory()
        self._calls = 0

    def decide(self, observed: float, current: int, ready: float) -> int:
        """Return the replicas wanted; called once a tick, in order.

        Args:
            observed: Mean load of the last minute, or of as much of it as has passed since the first call; the first
                call repeats the end of the history.
            current: Replicas asked for.
            ready: Replicas that serve.
        """
        del ready
        ticks = self._ticks
        window = max(1, round(OBSERVED_S / ticks.tick_s))
        if self._calls and self._calls % window == 0:
            ticks.add(observed, window)
        now = ticks.first_decision + self._calls * ticks.tick_s
        self._calls += 1
        self._look(now)
        known = self._known
        evidence = find_evidence(known, self._gate.choice, now)
        trust = judge_forecast(evidence, self._policy, self._ask)
        demand, _ = build_demand(
            self._policy,
            trust,
            known.outlook if known else None,
            observed,
            now=now,
            lead_s=self._lead_s,
            step_s=self._ask.step_s,
            live=True,
        )
        decision = decide_replicas(self._policy, current, demand, self._memory, now)
        self._memory = remember_outcome(decision.memory, current, decision.replicas, now)
        return decision.replicas

    def _look(self, now: float) -> None:
        """Bring forecast and gate up to the newest complete slot."""
        self._known = take_over(self._known, self._ask)
        self._gate = take_replay(self._gate, self._policy.unmet_load)
        end = now // self._ask.step_s * self._ask.step_s
        end = min(end, self._ticks.known_until // self._ask.step_s * self._ask.step_s)
        if self._known is not None and end <= self._known.outlook.start:
            return
        series = self._ticks.series(self._ask, end)
        if not np.isfinite(series.values).any():
            return
        self._known = _run(bring_up(series, self._known, self._ask, self._phase, self._forecaster))
        setting = make_setting(self._policy, self._ask, self._lead_s)
        span = due_span(self._gate, setting, end, series.start)
        if span is not None:
            self._ask_replay(series, span, setting)

    def _ask_replay(self, series: Series, span: tuple[float, float], setting: Setting) -> None:
        load = self._ticks.means(setting.tick_s, *span)
        window = int(self._ask.history_s // self._ask.step_s)
        job = plan_job(Past(series, load, span[0], setting.tick_s, window), span, setting)
        self._gate = replace(self._gate, until=span[1], asked=(Answered(job.run()), setting))


class _Ticks:
    """The load of all ticks so far."""

    def __init__(self, history: FloatArray, start: float, tick_s: float) -> None:
        self.tick_s, self._start, self._count = tick_s, start, len(history)
        self._loads = np.asarray(history, np.float64).copy()
        self.first_decision = start + self._count * tick_s

    @property
    def known_until(self) -> float:
        """Epoch second at which the newest tick ends."""
        return self._start + self._count * self.tick_s

    def add(self, load: float, count: int) -> None:
        """Add so many ticks of a mean load."""
        if self._count + count > len(self._loads):
            self._loads = np.concatenate([self._loads, np.empty(max(len(self._loads), 1024))])
        self._loads[self._count : self._count + count] = load
        self._count += count

    def series(self, ask: ForecastSpec, end: float) -> Series:
        """Return the slots up to `end`, as many as the forecast asks for."""
        first = max(end - ask.history_s // ask.step_s * ask.step_s, -(-self._start // ask.step_s) * ask.step_s)
        values = self.means(float(ask.step_s), first, end)
        return Series(values, first, float(ask.step_s), ask.seasons_s or None, ask.time_zone)

    def means(self, width_s: float, first: float, end: float) -> FloatArray:
        """Return the mean load of each `width_s` seconds in [first, end), (n,); NaN where none of it is known."""
        begin, stop = round((first - self._start) / self.tick_s), round((end - self._start) / self.tick_s)
        each = max(1, round(width_s / self.tick_s))
        loads = self._loads[max(begin, 0) : min(stop, self._count)]
        loads = loads[: len(loads) // each * each].reshape(-1, each)
        known = np.isfinite(loads)
        counts = known.sum(axis=1)
        sums = np.where(known, loads, 0.0).sum(axis=1)
        means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        return np.asarray(means.astype(np.float32), np.float64)  # as short as a history is kept


def _run(steps: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine gives that waits for nothing."""
    try:
        steps.send(None)
    except StopIteration as ended:
        answer: T = ended.value
        return answer
    raise RuntimeError("it waits for something, and nothing here answers later")
