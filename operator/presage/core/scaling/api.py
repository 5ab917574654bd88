"""The scaling decision as one function, for those who judge it: the operator's chain with its defaults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from presage.core.forecast.spec import ForecastSpec
from presage.core.scaling.pilot import FloatArray, Pilot
from presage.core.scaling.policy import DEFAULTS

MAX_REPLICAS = 200
PHASE = "/load"  # that of an object without a uid
FORECAST = ForecastSpec(300, 21 * 86_400, 3600, (), None, None)


def replay_rule(
    history: FloatArray, tick: float, capacity: float, startup: float, objective: float
) -> Callable[[float, int, float], int]:
    """Return `decide(load, current, ready) -> replicas`, called once a tick, in order.

    Args:
        history: (n,) load of each tick before the first call.
        tick: Seconds a tick.
        capacity: Load that one ready pod serves, in the unit of the load.
        startup: Seconds from asking for a pod until it serves.
        objective: Share of the load that may go unserved.

    Raises:
        ValueError: If an argument is out of range.
    """
    if not (tick > 0 and capacity > 0 and startup >= 0 and 0 < objective < 1):
        raise ValueError("tick, capacity and objective must be above 0, the start-up time not below, objective below 1")
    policy = replace(
        DEFAULTS,
        max_replicas=MAX_REPLICAS,
        per_pod=capacity,
        unmet_load=objective,
        lead_time_s=float(startup),
        decision_period_s=float(tick),
    )
    return Pilot(np.asarray(history, np.float64), 0.0, float(tick), policy, FORECAST, PHASE).decide
