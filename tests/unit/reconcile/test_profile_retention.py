"""What a MetricProfile says of its tiers, and the PodMonitors that it needs."""

from __future__ import annotations

from typing import Any

import pytest

from presage.core.recording.retention.prometheus_operator import POD_MONITORS
from presage.reconcile.metricprofile.gather import find_source
from presage.reconcile.metricprofile.inputs import RetentionView
from presage.reconcile.metricprofile.monitors import plan_monitors
from presage.reconcile.metricprofile.retention import judge_tiers, view_retention
from presage.reconcile.owned import owner_of
from presage.resources.metricprofile import MetricProfile
from tests.unit.reconcile.fakes import World, make_world
from tests.unit.resources.source_cases import tier

PROFILE, SOURCE = ("MetricProfile", "team", "shop"), ("MetricSource", "", "main")
LEVELS = [{"profile": "Minimal"}, {"profile": "Debug", "above": "50"}]


def make(backend: str = "Prometheus", *tiers: str, asked: bool = True, **states: str) -> World:
    """Return a world whose profile records Minimal (15d) and Debug (2h), and whose source has these tiers."""
    world = make_world()
    spec: Any = world.objects.bodies[PROFILE]["spec"]
    spec["eventTypes"][0]["levels"] = LEVELS
    if asked:
        spec["retention"] = {}
    source: Any = world.objects.bodies[SOURCE]
    if backend:
        source["spec"]["retention"] = {"backend": backend, "tiers": [tier(name) for name in tiers]}
    shown = [
        {"tier": name.removeprefix("t"), "url": f"http://prometheus-{name.removeprefix('t')}:9090", "state": state}
        for name, state in states.items()
    ]
    source["status"] = {"retention": shown}
    return world


def view(world: World) -> RetentionView:
    profile = MetricProfile.parse(world.objects.bodies[PROFILE])
    source = find_source(world.objects, "main", "team")
    return view_retention(profile, profile.spec.to_core().recording, source, world.objects, world.watched)


@pytest.mark.parametrize(
    ("world", "want"),
    [
        pytest.param(make(asked=False), ("False", "Inactive"), id="not asked"),
        pytest.param(make(""), ("False", "BackendSingleRetention"), id="the source says nothing"),
        pytest.param(make("Other"), ("False", "BackendSingleRetention"), id="one retention"),
        pytest.param(make("Prometheus", "15d", t15d="Proven"), ("False", "TierMissing"), id="no server for 2h"),
        pytest.param(make("Prometheus", "15d", "2h", t15d="Proven"), ("Unknown", "Waiting"), id="one is not known yet"),
        pytest.param(
            make("Prometheus", "15d", "2h", t15d="Proven", t2h="Proven"), ("True", "Proven"), id="all proven"
        ),
        pytest.param(
            make("Prometheus", "15d", "2h", "1w", t15d="Proven", t2h="Proven", t1w="NotEnforced"),
            ("True", "Proven"),
            id="a tier that no metric names",
        ),
    ],
)  # fmt: skip
def test_the_condition(world: World, want: tuple[str, str]) -> None:
    found = judge_tiers(view(world), 3)
    assert (found.type, found.status, found.reason, found.observed_generation) == ("RetentionEnforced", *want, 3)


def test_a_state_of_another_server_says_nothing() -> None:
    world = make("Prometheus", "15d", "2h", t15d="Proven", t2h="Proven")
    source: Any = world.objects.bodies[SOURCE]
    source["spec"]["retention"]["tiers"][0]["url"] = "http://moved:1"
    assert judge_tiers(view(world), 3).reason == "Waiting"


def test_a_source_that_may_not_be_used_leaves_it_open() -> None:
    world = make("Prometheus", "15d", "2h")
    del world.objects.bodies[SOURCE]
    found = judge_tiers(view(world), 3)
    assert (found.status, found.reason) == ("Unknown", "SourceDown")
    assert "There is no MetricSource main" in found.message
    assert plan_monitors(view(world)) is None, "nor is anything removed"


def test_a_monitor_for_each_tier_of_prometheus_operator() -> None:
    plan = plan_monitors(view(make("PrometheusOperator", "15d", "2h", "1w")))
    assert plan is not None
    labels = [body["metadata"]["labels"]["presage.dev/retention"] for body in plan.make.values()]  # type: ignore[index]
    assert (sorted(labels), plan.drop) == (["15d", "2h"], ())
    assert plan_monitors(view(make("Prometheus", "15d", "2h"))) is None


def present(world: World, *names: str) -> World:
    owner = owner_of(MetricProfile.parse(world.objects.bodies[PROFILE]))
    world.watched.objects[POD_MONITORS.plural] = [{"name": name, "leaving": False, "owner": owner} for name in names]
    return world


def test_what_is_there_is_not_made_again_and_what_is_left_over_goes() -> None:
    world = make("PrometheusOperator", "15d", "2h")
    wanted = plan_monitors(view(world))
    assert wanted is not None
    first, second = sorted(wanted.make)
    plan = plan_monitors(view(present(world, first, "old")))
    assert plan is not None
    assert (list(plan.make), plan.drop) == ([second], ("old",))
    assert plan_monitors(view(present(world, first, second))) is None


@pytest.mark.parametrize("world", [make("Prometheus", "15d"), make("PrometheusOperator", "15d", asked=False)])
def test_nothing_stays_where_none_are_wanted(world: World) -> None:
    plan = plan_monitors(view(present(world, "old")))
    assert plan is not None
    assert (plan.make, plan.drop) == ({}, ("old",))
