"""presage's own rule for a replay: the operator's chain with its defaults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from presage.core.forecast.rolling import plan_window
from presage.core.forecast.spec import ForecastSpec
from presage.core.samples import FloatArray
from presage.core.scaling.pilot import Pilot
from presage.core.scaling.policy import DEFAULTS
from presage.core.scaling.rivals import SYNC_S, Target
from presage.core.scaling.world import Decide

_HORIZON_S = 3_600  # as spec.forecast.horizonSeconds, unless pods take longer to start


@dataclass(frozen=True, slots=True)
class Wish:
    """What a user would write into the spec.

    Attributes:
        target: What is scaled.
        objective: Share of the load that may be left unmet.
        step: Width of the forecasts' slots, seconds.
        seasons: Seasons that are known, seconds; empty = they are tested.
        zone: IANA zone in which days begin; None = UTC.
    """

    target: Target
    objective: float
    step: int
    seasons: Sequence[int]
    zone: str | None


def make_rule(history: FloatArray, first: float, wish: Wish) -> Decide:
    """Return the rule.

    Args:
        history: (n,) load in ticks of `SYNC_S` before the first decision; NaN = not known.
        first: Epoch second at which the history starts.
        wish: What is asked for.
    """
    target, seasons = wish.target, tuple(wish.seasons)
    policy = replace(
        DEFAULTS,
        min_replicas=target.min_replicas,
        max_replicas=target.max_replicas,
        per_pod=target.capacity,
        unmet_load=wish.objective,
        lead_time_s=target.startup_s,
        decision_period_s=SYNC_S,
    )
    ahead = target.startup_s + SYNC_S + policy.stabilization_s + wish.step
    horizon = max(_HORIZON_S, int(ahead))
    ask = ForecastSpec(
        step_s=wish.step,
        history_s=plan_window(wish.step, seasons) * wish.step,
        horizon_s=horizon,
        seasons_s=seasons,
        quantile=None,
        time_zone=wish.zone,
    )
    return Pilot(history, first, SYNC_S, policy, ask).decide
