"""The scaling policy as plain data: what the `scaling` block of every kind becomes."""

from __future__ import annotations

from dataclasses import dataclass

from presage.core.scaling.learning import Learning


@dataclass(frozen=True, slots=True)
class ScalingPolicy:
    """How a target may be scaled. Shares are fractions (0.1 = 10 %), times are seconds.

    Attributes:
        mode: `Auto` acts, `DryRun` only decides, `Off` neither.
        via: `Auto` or `Scale`: through which field replicas are moved.
        min_replicas: Never fewer. 0 = the target may go to zero, if `zero.decide_floor` lets it.
        max_replicas: Never more.
        per_pod: Load one pod serves, in the unit of the load.
        headroom: Share added to the observed load by the reactive part; None = the objective chooses.
        unmet_load: Objective: share of the load that may go unserved.
        tolerance: Share by which the load must fall short of the current replicas before any is removed.
        stabilization_s: How long a lower number must have held before replicas go down.
        max_down: Share of replicas that may go in one `down_period_s`.
        down_period_s: Seconds over which `max_down` counts.
        decision_period_s: Seconds between decisions.
        lead_time_s: Start-up time given by the user; None = measured.
        max_sample_age_s: Older data never removes a replica.
        learning: What another `per_pod` is learned from, to be proposed; None = nothing is.
        fallback_replicas: Fewest replicas once there was no data for longer than the horizon; None = as many as are.
    """

    mode: str
    via: str
    min_replicas: int
    max_replicas: int
    per_pod: float
    headroom: float | None
    unmet_load: float
    tolerance: float
    stabilization_s: float
    max_down: float
    down_period_s: float
    decision_period_s: float
    lead_time_s: float | None
    max_sample_age_s: float
    learning: Learning | None = None
    fallback_replicas: int | None = None


DEFAULTS = ScalingPolicy(
    mode="Auto",
    via="Auto",
    min_replicas=1,
    max_replicas=1,
    per_pod=1.0,
    headroom=None,
    unmet_load=0.005,
    tolerance=0.0,
    stabilization_s=300.0,
    max_down=0.2,
    down_period_s=60.0,
    decision_period_s=15.0,
    lead_time_s=None,
    max_sample_age_s=60.0,
)
"""What a user gets who sets neither more than the limits and the capacity, which are placeholders here."""
