"""MetricProfile: gather → decide → apply, and all that the runtime must know of the kind."""

from __future__ import annotations

from collections.abc import Iterable

from presage.core.conditions import Condition, summarize_ready
from presage.reconcile.kind import KindDefinition, PolicyRule
from presage.reconcile.metricprofile.apply import apply
from presage.reconcile.metricprofile.decide import decide
from presage.reconcile.metricprofile.gather import gather
from presage.reconcile.metricprofile.inputs import ProfileInput, ProfileMemory, ScalePlan
from presage.reconcile.metricprofile.reasons import REASONS
from presage.reconcile.metricprofile.status import GAUGE_LABELS, GAUGES, VOLATILE
from presage.reconcile.metricprofile.watching import WATCHED
from presage.resources.metricprofile import MetricProfile

# A spec that asks for one of these is in force when it is so.
_ASKED_FOR = frozenset({"Off", "DryRun", "Paused"})


def _summarize(conditions: Iterable[Condition], generation: int) -> Condition:
    return summarize_ready(conditions, ("TargetFound", "DataAvailable", "ScalingActive"), _ASKED_FOR, generation)


DEFINITION: KindDefinition[MetricProfile, ProfileInput, ScalePlan, ProfileMemory] = KindDefinition(
    model=MetricProfile,
    gather=gather,
    decide=decide,
    apply=apply,
    summarize=_summarize,
    watched=WATCHED,
    rules=(
        PolicyRule(("apps",), ("deployments",), ("list", "watch")),
        PolicyRule(("apps",), ("deployments/scale",), ("get", "patch")),
        PolicyRule(("",), ("pods",), ("list", "watch")),
        PolicyRule(("autoscaling",), ("horizontalpodautoscalers",), ("list", "watch")),
        PolicyRule(("keda.sh",), ("scaledobjects",), ("list", "watch")),
    ),
    reasons=REASONS,
    gauges=GAUGES,
    gauge_labels=GAUGE_LABELS,
    volatile_status=VOLATILE,
)
