"""Two metrics over many decisions: zero, numbers set by hand, and event types that come and go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from presage.core.query import CounterLoad
from presage.core.source_reading import TickSample
from tests.unit.reconcile.fakes import make_world
from tests.unit.reconcile.playing import ELSEWHERE, KEY, Player

BYTES, WINDOW = "bytes_total", 5  # decisions until a window of 60 s was seen


@dataclass
class TwoMetrics(Player):
    """Plays a profile with 50 events/s and 100 bytes/s a pod; events are measured elsewhere, bytes at `measured_by`."""

    volume: float | None = 0.0
    measured_by: frozenset[str] = ELSEWHERE

    def _sample(self, now: float) -> TickSample:
        known = TickSample(self.volume, now, self.measured_by)
        self.world.loads.by_metric[BYTES] = known if self.volume is not None else TickSample(None, None, frozenset())
        return super()._sample(now)


def make(load: float, volume: float, *, replicas: int, **scaling: Any) -> TwoMetrics:
    settings = {"perPodBytes": "100", "stabilizationWindowSeconds": 60, "maxDownPercent": 100, **scaling}
    world = make_world(replicas=replicas, pods=replicas, scaling=settings)
    spec = world.objects.bodies[KEY]["spec"]
    spec["eventTypes"][0]["load"]["bytes"] = {"counter": {"metric": BYTES}}
    world.loads.values = np.full(2016, load, np.float32)
    world.loads.by_load[CounterLoad(BYTES, (), 60.0)] = np.full(2016, volume, np.float32)
    return TwoMetrics(world, load, volume=volume)


ZERO = {"minReplicas": 0, "allowZero": True}


async def test_to_zero_only_when_no_metric_needs_a_replica_and_either_wakes_it() -> None:
    player = make(0.0, 0.0, replicas=2, **ZERO)
    player.volume = 5.0
    assert await player.decide(4 * WINDOW) == 1, "bytes come, though no event does"
    player.volume = 0.0
    assert await player.decide(2 * WINDOW) == 0
    player.volume = 400.0
    assert await player.decide() >= 5
    assert player.scaling["bindingMetric"] == "bytes"


async def test_not_to_zero_where_the_forecast_of_one_metric_is_above_zero() -> None:
    player = make(0.0, 50.0, replicas=2, **ZERO)
    player.volume = 0.0
    assert await player.decide(6 * WINDOW) == 1


async def test_a_forecast_is_negligible_by_what_one_pod_serves_of_that_metric() -> None:
    player = make(0.0, 0.8, replicas=2, **ZERO)
    player.volume = 0.0
    assert await player.decide(6 * WINDOW) == 0


async def test_not_to_zero_where_one_metric_would_go_with_the_pods() -> None:
    player = make(0.0, 0.0, replicas=2, **ZERO)
    player.measured_by = frozenset({"shop-0", "shop-1"})
    assert await player.decide(6 * WINDOW) == 1
    assert "its own pods measure the load" in player.condition("ScalingActive")[2]


async def test_a_metric_without_data_is_not_taken_for_zero_in_a_long_time() -> None:
    player = make(100.0, 900.0, replicas=10)
    await player.decide(2 * WINDOW)
    player.volume, player.load = None, 1.0
    assert await player.decide(40 * WINDOW) == 10
    assert player.condition("DataAvailable")[2].startswith("Metric bytes: No series matches")


@pytest.mark.parametrize("changed", ["load", "volume"])
async def test_a_number_set_by_hand_is_kept_until_all_metrics_together_want_another(changed: str) -> None:
    player = make(120.0, 100.0, replicas=3)
    assert await player.decide(2 * WINDOW) == 3
    player.by_hand(10)
    await player.decide(2)
    assert player.scaling["manual"] == {"replicas": 10, "need": 3}
    player.volume = 170.0
    assert await player.decide(4 * WINDOW) == 10, "two pods serve these bytes: the load still asks for three"
    setattr(player, changed, 5 * getattr(player, changed) / (3 if changed == "load" else 2))
    await player.decide(WINDOW - 1)
    assert player.replicas == 10, "a whole window is seen first, for both metrics"
    await player.decide(2 * WINDOW)
    assert 3 < player.replicas < 10
    assert "manual" not in player.scaling


async def test_one_event_type_of_two_that_is_missing_leaves_a_lower_bound_that_removes_nothing() -> None:
    player = make(100.0, 0.0, replicas=9)
    player.world.objects.bodies[KEY]["spec"]["eventTypes"].append(
        {"name": "quote", "weight": "3", "load": {"gauge": {"metric": "quotes"}}}
    )
    assert await player.decide(2 * WINDOW) == 9, "100 + 3 × 100, with a tenth spare"
    player.world.loads.by_metric["quotes"] = TickSample(None, None, frozenset())
    assert await player.decide(20 * WINDOW) == 9
    status, reason, message = player.condition("DataAvailable")
    assert (status, reason) == ("False", "NoMatchingSeries")
    assert message.startswith("Metric load: No series matches the load of event type quote:")
    player.load = 600.0
    assert await player.decide() == 14, "what is known may still ask for more"
