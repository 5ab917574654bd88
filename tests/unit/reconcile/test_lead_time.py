"""The lead time of a MetricProfile: measured on its own target's pods, and kept for them."""

from __future__ import annotations

import pytest

from presage.core.scaling.lead_time import MAX_SAMPLES
from presage.reconcile.metricprofile.watching import trim_pod
from presage.reconcile.ports import Json
from tests.unit.reconcile.fakes import NOW, make_world, pod, rfc3339
from tests.unit.reconcile.looking import look


async def test_lead_time_is_measured_from_the_targets_own_pods() -> None:
    world = make_world(pods=0)
    world.watched.objects["pods"] = [pod(f"shop-{i}", ready_after=seconds) for i, seconds in enumerate((3, 9, 20))]
    lead = (await look(world)).status["scaling"]["leadTimeSeconds"]  # type: ignore[index]  # status is plain JSON
    assert lead == {
        "value": 35.0,
        "samples": 3,
        "source": "Measured",
        "target": "shop",
        "startsSeconds": [3.0, 9.0, 20.0],
    }


async def test_with_more_pods_than_are_remembered_the_newest_starts_count_at_every_decision() -> None:
    world = make_world(pods=0)
    old = [pod(f"old-{i}", created=NOW - 9000 + i, ready_after=300) for i in range(MAX_SAMPLES)]
    new = [pod(f"new-{i}", created=NOW - 900 + i, ready_after=5) for i in range(MAX_SAMPLES)]
    world.watched.objects["pods"] = old + new
    memory, seen = None, []
    for _ in range(3):
        decision = await look(world, memory)
        memory = decision.memory
        seen.append(decision.status["scaling"]["leadTimeSeconds"]["value"])  # type: ignore[index]  # plain JSON
    assert seen == [20.0, 20.0, 20.0]


@pytest.mark.parametrize(
    ("target", "want"),
    [
        pytest.param("shop", {"value": 22.0, "samples": 4, "source": "Remembered"}, id="of these pods"),
        pytest.param("cart", {"value": 75.0, "samples": 0, "source": "Default"}, id="of another target's pods"),
        pytest.param(None, {"value": 75.0, "samples": 0, "source": "Default"}, id="of nobody knows whose"),
    ],
)
async def test_a_restart_remembers_the_lead_time_of_its_own_target_only(target: str | None, want: object) -> None:
    world = make_world(pods=0)
    held = {"value": 1.0, "samples": 9, "source": "Measured", "target": target, "startsSeconds": [4.0, 5.0, 6.0, 7.0]}
    world.objects.bodies[("MetricProfile", "team", "shop")]["status"] = {"scaling": {"leadTimeSeconds": held}}
    lead = (await look(world)).status["scaling"]["leadTimeSeconds"]  # type: ignore[index]  # status is plain JSON
    assert {name: lead[name] for name in ("value", "samples", "source")} == want
    assert lead["target"] == "shop"


async def test_a_change_of_target_drops_the_lead_time() -> None:
    world = make_world(pods=4)
    decision = await look(world)
    body = world.objects.bodies[("MetricProfile", "team", "shop")]
    body["status"] = decision.status  # as the operator wrote it
    assert decision.status["scaling"]["leadTimeSeconds"]["source"] == "Measured"  # type: ignore[index]  # plain JSON
    body["spec"]["target"]["name"] = "other"
    world.watched.objects["deployments"].append(
        {"metadata": {"namespace": "team", "name": "other"}, "replicas": 2, "cores": {}}
    )
    after = (await look(world, decision.memory)).status["scaling"]["leadTimeSeconds"]  # type: ignore[index]  # plain JSON
    assert (after["source"], after["samples"], after["target"]) == ("Default", 0, "other")
    body["spec"]["target"]["name"] = "shop"
    back = (await look(world, None)).status["scaling"]["leadTimeSeconds"]  # type: ignore[index]  # plain JSON
    assert (back["source"], back["samples"]) == ("Remembered", 4)


CREATED, STARTED, LATER = (rfc3339(NOW - seconds) for seconds in (100, 98, 50))


def container(restarts: int = 0, started: str = STARTED) -> Json:
    return {"restartCount": restarts, "state": {"running": {"startedAt": started}}}


@pytest.mark.parametrize(
    ("ready", "containers", "again"),
    [
        pytest.param(("True", LATER), [container()], False, id="Ready"),
        pytest.param(("True", LATER), [container(), container(1)], True, id="Ready, a container restarted"),
        pytest.param(("False", CREATED), [{"restartCount": 0, "state": {"waiting": {}}}], False, id="pulls an image"),
        pytest.param(("False", CREATED), [container()], False, id="not Ready yet"),
        pytest.param(("False", CREATED), [container(started=LATER), container()], False, id="not all have started"),
        pytest.param(("False", LATER), [container()], True, id="its node or its probe failed"),
        pytest.param(("Unknown", LATER), [], False, id="nothing told of containers"),
    ],
)
def test_a_pod_tells_whether_its_readiness_is_the_first(
    ready: tuple[str, str], containers: list[Json], again: bool
) -> None:
    status = {
        "conditions": [{"type": "Ready", "status": ready[0], "lastTransitionTime": ready[1]}],
        "containerStatuses": containers,
    }
    body = {"metadata": {"name": "shop-a", "uid": "u", "creationTimestamp": CREATED}, "status": status}
    assert trim_pod(body)["again"] is again
