"""How tests look at a MetricProfile, and what goes wrong with its data meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from presage.core.conditions import Condition
from presage.core.faults import SourceFault
from presage.core.source_reading import Flaw, TickSample
from presage.reconcile.kind import Decision
from presage.reconcile.metricprofile import DEFINITION
from presage.reconcile.metricprofile.inputs import ProfileMemory, ProfilePlan
from presage.resources.metricprofile import MetricProfile
from tests.unit.reconcile.fakes import NOW, PODS, World


async def look(world: World, memory: ProfileMemory | None = None) -> Decision[ProfilePlan, ProfileMemory]:
    """Gather and decide once."""
    profile = MetricProfile.parse(world.objects.bodies[("MetricProfile", "team", "shop")])
    return DEFINITION.decide(await DEFINITION.gather(profile, memory, world.ports()))


def conditions(decision: Decision[Any, Any]) -> dict[str, Condition]:
    return {condition.type: condition for condition in decision.conditions}


def daily(peak: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return seven days of a smooth daily wave at 300 s, ending now, highest an hour from now."""
    slots = np.arange(2016) - 2016
    wave = (1 + np.cos(2 * np.pi * (slots - 12) / 288)) / 2
    return (peak * (0.1 + 0.9 * wave)).astype(np.float32)


def stop(world: World) -> None:
    world.loads.fault = SourceFault("Unreachable", "MetricSource main: no connection.")


def go_silent(world: World) -> None:
    world.loads.sample = TickSample(None, None, frozenset())


def grow_old(world: World) -> None:
    world.loads.sample = replace(world.loads.sample, newest_at=NOW - 61)


def lose_half(world: World) -> None:
    world.loads.sample = TickSample(50.0, NOW, frozenset({"shop-1"}))


def give_a_flaw(flaw: Flaw) -> Callable[[World], None]:
    def alter(world: World) -> None:
        world.loads.sample = TickSample(None, NOW, PODS, flaw)

    return alter


def run_ahead(world: World) -> None:
    world.loads.sample = replace(world.loads.sample, newest_at=NOW + 61)


def revoke(world: World) -> None:
    del world.objects.bodies[("MetricSource", "", "main")]
