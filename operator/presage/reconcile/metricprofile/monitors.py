"""PodMonitors of a MetricProfile: by them each tier's Prometheus scrapes its pods and keeps its own tier's series.

They are made where the MetricSource says PrometheusOperator and the profile asks that its tiers be enforced. A
PodMonitor's name follows from its content, so one that is out of date is one whose name is not wanted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from presage.core.conditions import Condition
from presage.core.faults import WriteRefused
from presage.core.recording.retention.documents import Scraping
from presage.core.recording.retention.prometheus_operator import POD_MONITORS, build_pod_monitor
from presage.core.recording.retention.tiers import Retention
from presage.reconcile.kind import Decision, PolicyRule
from presage.reconcile.metricprofile.inputs import (
    MonitorPlan,
    ProfileInput,
    ProfileMemory,
    ProfilePlan,
    RetentionView,
)
from presage.reconcile.owned import owner_of, watch_children
from presage.reconcile.ports import Json, Ports
from presage.reconcile.source_retention import CONDITION
from presage.resources.metricprofile import MetricProfile

WATCHED = watch_children(MetricProfile.meta.kind, POD_MONITORS, lambda _: {})
RULES = (
    PolicyRule(
        (POD_MONITORS.group,), (POD_MONITORS.plural,), ("get", "list", "watch", "create", "patch", "delete")
    ),
)  # fmt: skip


def build_monitors(retention: Retention, wanted: Iterable[str], profile: str, scraping: Scraping) -> dict[str, Json]:
    """Return the PodMonitors that a profile needs, by name; none but for Prometheus Operator. Pure."""
    if retention.backend != "PrometheusOperator":
        return {}
    tiers = (retention.find(name) for name in wanted)
    return dict(build_pod_monitor(retention, tier, profile, scraping) for tier in tiers if tier is not None)


def plan_monitors(view: RetentionView) -> MonitorPlan | None:
    """Return what is missing and what is left over; None if all is as it should be. Pure."""
    if view.problem is not None:
        return None  # nothing is known of what should be
    make = {name: body for name, body in view.monitors.items() if name not in view.present}
    drop = tuple(name for name in view.present if name not in view.monitors)
    return MonitorPlan(make, drop) if make or drop else None


def add_monitors(
    given: ProfileInput, decision: Decision[ProfilePlan, ProfileMemory]
) -> Decision[ProfilePlan, ProfileMemory]:
    """Return the decision with PodMonitors added; as it is where all is as it should be. Pure."""
    monitors = None if given.paused else plan_monitors(given.retention)
    if monitors is None:
        return decision
    current = given.target.replicas if given.target else 0
    plan = decision.plan or ProfilePlan(given.spec.target, current, current, "")
    return replace(decision, plan=replace(plan, monitors=monitors))


async def apply_monitors(profile: MetricProfile, plan: MonitorPlan, ports: Ports) -> Condition | None:
    """Make what is missing, then remove what is left over; return what a refusal makes of the condition."""
    owner = owner_of(profile)
    try:
        for name, body in plan.make.items():
            await ports.children.apply(owner, POD_MONITORS, name, body)
        for name in plan.drop:
            await ports.children.delete(owner, POD_MONITORS, name)
    except WriteRefused as refused:
        if refused.reason == "Conflict":
            return None  # somebody wrote a moment ago: the next decision sees what is there
        if refused.reason == "Unavailable":
            message = f"{refused.message} Is Prometheus Operator, with its kind PodMonitor, installed?"
            refused = WriteRefused("Unavailable", message)
        return Condition(CONDITION, "False", refused.reason, refused.message, profile.metadata.generation)
    return None
