"""Which of several measures binds, and whose data and forecast are shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from presage.core.scaling.curves import OBSERVED
from presage.core.scaling.decision import Demand, ReplicaDecision, ScalingMemory, decide_replicas
from presage.core.scaling.ladder import Judgement, Rung
from presage.core.scaling.measures import find_binding, find_worst_data, find_worst_trust
from presage.core.scaling.rule import Rule
from presage.core.scaling.trust import Trust
from tests.builders import policy


def made(replicas: int, wanted: int, binding: str) -> ReplicaDecision:
    asked = Demand(1.0, 1.0, 1.0, may_shrink=True, lead_s=60.0, headroom=0.1)
    any_other = decide_replicas(policy(), 2, asked, ScalingMemory(), 0.0)
    return replace(any_other, replicas=replicas, wanted=wanted, binding=binding)


@pytest.mark.parametrize(
    ("load", "volume", "want"),
    [
        pytest.param(made(3, 3, "Forecast"), made(5, 5, "Reactive"), "bytes", id="more replicas"),
        pytest.param(made(5, 5, "Forecast"), made(5, 5, "Reactive"), "load", id="as many: the first"),
        pytest.param(made(5, 2, "Stabilization"), made(5, 5, "Forecast"), "bytes", id="a need before a wait"),
        pytest.param(made(5, 4, "Stabilization"), made(5, 1, "Hold"), "bytes", id="no data before a wait"),
        pytest.param(made(5, 5, "Forecast"), made(5, 1, "Hold"), "load", id="a need before no data"),
        pytest.param(made(5, 2, "Stabilization"), made(5, 4, "Stabilization"), "bytes", id="the longer wait"),
    ],
)
def test_binding(load: ReplicaDecision, volume: ReplicaDecision, want: str) -> None:
    assert find_binding({"load": load, "bytes": volume}) == want


@pytest.mark.parametrize(
    ("load", "volume", "message"),
    [
        pytest.param("Live", "Live", "Live.", id="all is well"),
        pytest.param("Live", "Coasting", "Metric bytes: Coasting.", id="one coasts"),
        pytest.param("Hold", "Coasting", "Metric load: Hold.", id="the lower rung"),
        pytest.param("Hold", "Hold", "Hold.", id="the same fault"),
    ],
)
def test_worst_data(load: Rung, volume: Rung, message: str) -> None:
    found = find_worst_data({"load": Judgement(load, "R", f"{load}."), "bytes": Judgement(volume, "R", f"{volume}.")})
    assert found.message == message
    assert found.rung == min(load, volume, key=["Hold", "Coasting", "Live"].index)


RULE = Rule(OBSERVED, 0.1)
PASSED, NAIVE = Trust(True, "BacktestPassed", "Good.", RULE), Trust(False, "NaiveIsBetter", "Naive.", RULE)
BEHIND = Trust(True, "HistoryUnavailable", "Gone.", RULE)


@pytest.mark.parametrize(
    ("load", "volume", "reason", "message"),
    [
        pytest.param(PASSED, PASSED, "BacktestPassed", "Good.", id="both"),
        pytest.param(PASSED, NAIVE, "NaiveIsBetter", "Metric bytes: Naive.", id="one is not trusted"),
        pytest.param(BEHIND, NAIVE, "NaiveIsBetter", "Metric bytes: Naive.", id="no trust is worse than no history"),
        pytest.param(PASSED, BEHIND, "HistoryUnavailable", "Metric bytes: Gone.", id="no history is worse than trust"),
        pytest.param(NAIVE, NAIVE, "NaiveIsBetter", "Naive.", id="neither"),
    ],
)
def test_worst_trust(load: Trust, volume: Trust, reason: str, message: str) -> None:
    found = find_worst_trust({"load": load, "bytes": volume})
    assert (found.trusted, found.reason, found.message) == (load.trusted and volume.trusted, reason, message)
