"""Retention of a MetricSource from look to status and back, as a restart sees it."""

from __future__ import annotations

from typing import Any

import pytest

from presage.core.faults import SourceFault
from presage.core.recording.retention.canary import Look
from presage.reconcile import metricsource
from presage.reconcile.kind import Decision
from presage.reconcile.source_retention import CanaryPlan
from presage.resources.metricsource import MetricSource
from tests.unit.reconcile.fakes import NOW, World
from tests.unit.resources.source_cases import source, tier

Decided = Decision[CanaryPlan, None]
KEY = ("MetricSource", "", "main")


class Played:
    """A MetricSource whose status is kept, as the API server keeps it, and nothing else is."""

    def __init__(self, **retention: Any) -> None:
        self.world = World()
        self.body: dict[str, Any] = source({"retention": retention} if retention else {})
        self.body["metadata"]["generation"] = 1
        self.world.objects.bodies[KEY] = self.body

    async def look(self, **looks: Look) -> Decided:
        self.world.canaries.looks = {name.removeprefix("t"): look for name, look in looks.items()}
        model, ports = MetricSource.parse(self.body), self.world.ports()
        decision = metricsource.decide(await metricsource.gather(model, None, ports))
        self.body["status"] = dict(decision.status)
        MetricSource.model_validate(self.body)  # what is written fits what is declared
        return decision


def said(decision: Decided) -> tuple[str, str]:
    return next((c.status, c.reason) for c in decision.conditions if c.type == "RetentionEnforced")


async def test_a_source_without_tiers_says_nothing() -> None:
    decision = await Played().look()
    assert [c.type for c in decision.conditions] == ["Reachable"]
    assert (decision.plan, decision.gauges) == (None, {})
    assert "retention" not in decision.status


async def test_one_retention_is_admitted() -> None:
    decision = await Played(backend="Other").look()
    assert said(decision) == ("False", "BackendSingleRetention")
    assert decision.status["retention"] == []


async def test_a_proof_outlives_a_restart() -> None:
    played = Played(backend="Prometheus", tiers=[tier("2h", granularitySeconds=60)])
    first = await played.look(t2h=Look(newest=NOW - 3.5))
    assert said(first) == ("Unknown", "Waiting")
    assert first.gauges == {"retention_canary": {"2h": 1.0}}
    assert first.status["retention"] == [
        {
            "tier": "2h",
            "url": "http://prometheus-2h:9090",
            "state": "Waiting",
            "granularitySeconds": 60.0,
            "canaryAt": "2023-11-14T22:13:16Z",
            "canarySeen": True,
            "dueAt": "2023-11-15T00:14:16Z",
        }
    ]
    played.world.clock.time = NOW + 7220
    proven = await played.look(t2h=Look(newest=NOW + 7210, held=False))
    assert said(proven) == ("True", "Proven")
    played.world.clock.time = NOW + 8000
    assert said(await played.look(t2h=Look(newest=NOW + 8000, held=True))) == ("True", "Proven")


async def test_a_failure_is_remembered_until_a_proof() -> None:
    played = Played(backend="Prometheus", tiers=[tier("2h", granularitySeconds=60)])
    await played.look(t2h=Look(newest=NOW))
    played.world.clock.time = NOW + 7300
    kept = await played.look(t2h=Look(newest=NOW + 7300, held=True))
    assert said(kept) == ("False", "NotEnforced")
    assert played.body["status"]["retention"][0]["fault"] == "KeptTooLong"
    assert said(await played.look(t2h=Look(newest=NOW + 7320, held=True))) == ("False", "NotEnforced")
    played.world.clock.time = NOW + 7300 + 7210
    assert said(await played.look(t2h=Look(newest=NOW + 14_500, held=False))) == ("True", "Proven")


async def test_another_server_proves_anew() -> None:
    played = Played(backend="Prometheus", tiers=[tier("2h")])
    await played.look(t2h=Look(newest=NOW))
    played.body["spec"]["retention"]["tiers"][0]["url"] = "http://other:1"
    decision = await played.look(t2h=Look(newest=NOW + 9, held=False))
    (entry,) = played.body["status"]["retention"]
    assert (said(decision), entry["url"], entry["state"]) == (("Unknown", "Waiting"), "http://other:1", "Waiting")
    assert entry["canaryAt"] == "2023-11-14T22:13:29Z"


async def test_a_server_that_is_down_leaves_the_proof_open() -> None:
    played = Played(backend="Prometheus", tiers=[tier("2h"), tier("15d")])
    decision = await played.look(t2h=Look(fault="MetricSource main, tier 2h: no connection."), t15d=Look(newest=NOW))
    assert said(decision) == ("Unknown", "SourceDown")
    assert "tier 2h: no connection" in decision.conditions[1].message


async def test_victoriametrics_is_written_to() -> None:
    played = Played(backend="VictoriaMetrics", tiers=[tier("1d")])
    decision = await played.look(t1d=Look(newest=NOW))
    assert decision.plan is not None
    model, ports = MetricSource.parse(played.body), played.world.ports()
    await metricsource.apply(model, decision.plan, ports)
    assert played.world.canaries.written == [("1d", NOW - 86_400 + 90)], "it is over in three checks"
    assert (await played.look(t1d=Look(newest=NOW, held=True))).plan is None, "it is there"
    played.world.clock.time = NOW + 95
    assert said(await played.look(t1d=Look(newest=NOW, held=False))) == ("True", "Proven")


async def test_a_server_that_takes_no_canary_is_named() -> None:
    played = Played(backend="VictoriaMetrics", tiers=[tier("1d")])
    decision = await played.look(t1d=Look(newest=NOW))
    assert decision.plan is not None
    played.world.canaries.refusal = SourceFault("Unauthorized", "MetricSource main, tier 1d: it refuses.")
    applied = await metricsource.apply(MetricSource.parse(played.body), decision.plan, played.world.ports())
    (condition,) = applied.conditions
    assert (condition.status, condition.reason) == ("Unknown", "SourceDown")
    assert "tier 1d: it refuses" in condition.message


@pytest.mark.parametrize("status", [{}, {"retention": []}, {"conditions": []}])
async def test_a_status_that_says_nothing_is_no_obstacle(status: dict[str, Any]) -> None:
    played = Played(backend="Prometheus", tiers=[tier("2h")])
    played.body["status"] = status
    assert said(await played.look(t2h=Look())) == ("Unknown", "Waiting")
