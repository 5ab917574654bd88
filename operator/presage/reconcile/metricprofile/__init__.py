"""MetricProfile: gather → decide → apply, and all that the runtime must know of the kind."""

from __future__ import annotations

from collections.abc import Iterable

from presage.core.conditions import Condition, summarize_ready
from presage.reconcile.kind import KindDefinition, PolicyRule
from presage.reconcile.metricprofile.apply import apply
from presage.reconcile.metricprofile.decide import decide
from presage.reconcile.metricprofile.gather import gather
from presage.reconcile.metricprofile.inputs import ProfileInput, ProfileMemory, ProfilePlan
from presage.reconcile.metricprofile.monitors import RULES as MONITOR_RULES
from presage.reconcile.metricprofile.reasons import REASONS
from presage.reconcile.metricprofile.status import GAUGE_LABELS, GAUGES, VOLATILE
from presage.reconcile.metricprofile.watching import WATCHED
from presage.resources.metricprofile import MetricProfile

# A spec that asks for one of these is in force when it is so.
_ASKED_FOR = frozenset({"Off", "DryRun", "Paused"})

# Profiles change with the load, and every change takes some seconds to reach all pods: that is as it should be.
_ON_THE_WAY = frozenset({"Updating", "RecordingUnknown"})
_REQUIRED = ("TargetFound", "DataAvailable", "ScalingActive", "ProfileApplied", "Injected")


def _summarize(conditions: Iterable[Condition], generation: int) -> Condition:
    return summarize_ready(conditions, _REQUIRED, _ASKED_FOR | _ON_THE_WAY, generation)


DEFINITION: KindDefinition[MetricProfile, ProfileInput, ProfilePlan, ProfileMemory] = KindDefinition(
    model=MetricProfile,
    gather=gather,
    decide=decide,
    apply=apply,
    summarize=_summarize,
    watched=WATCHED,
    rules=(
        PolicyRule(("apps",), ("deployments",), ("list", "watch")),
        PolicyRule(("apps",), ("deployments/scale",), ("get", "patch")),
        PolicyRule(("",), ("pods",), ("list", "watch", "patch")),
        PolicyRule(("",), ("pods/eviction",), ("create",)),
        PolicyRule(("",), ("configmaps",), ("get", "list", "watch", "create", "patch")),
        PolicyRule(("autoscaling",), ("horizontalpodautoscalers",), ("list", "watch")),
        PolicyRule(("keda.sh",), ("scaledobjects",), ("list", "watch")),
        *MONITOR_RULES,
    ),
    reasons=REASONS,
    gauges=GAUGES,
    gauge_labels=GAUGE_LABELS,
    volatile_status=VOLATILE,
)
