"""The saving in one sentence: it says so too when presage would have cost more."""

from __future__ import annotations

import numpy as np
import pytest

from presage.cli.loads.load import Load
from presage.cli.simulate.result import Simulation, describe_saving, percent
from presage.core.samples import Grid
from presage.core.scaling.rivals import Target
from presage.core.scaling.world import Outcome


def make_outcome(unmet_share: float, replica_hours: float) -> Outcome:
    some = np.zeros(1, np.int64)
    return Outcome(unmet_share, 0, 0.0, replica_hours, 0, some, some, np.zeros(1))


def make_result(own: Outcome, other: Outcome) -> Simulation:
    return Simulation(
        load=Load("load", "load.csv", Grid(np.zeros(1), 0.0, 60.0, 0, 0, 0), 1, ()),
        start=0.0,
        series=np.zeros(1),
        target=Target(10.0, 60.0, 1, 9),
        objective=0.005,
        utilization=0.7,
        step=300,
        outcomes={"presage": own, "hpa": other},
        missing={},
        zone=None,
        unit="",
    )


@pytest.mark.parametrize(
    ("own", "other", "want"),
    [
        pytest.param(
            (0.001, 80.0),
            (0.02, 100.0),
            "saved 20 replica-hours (20.0 % of 100) and left 0.10 % of the load unmet instead of 2.0 %",
            id="less of both",
        ),
        pytest.param(
            (0.001, 1_200.0),
            (0.02, 1_000.0),
            "cost 200 replica-hours more (20.0 % of 1,000), but left 0.10 % of the load unmet instead of 2.0 %",
            id="more hours",
        ),
        pytest.param(
            (0.004, 80.0),
            (0.001, 100.0),
            "saved 20 replica-hours (20.0 % of 100), but left 0.40 % of the load unmet instead of 0.10 %. That is "
            "within the objective of 0.50 %",
            id="more unmet",
        ),
        pytest.param(
            (0.02, 120.0),
            (0.001, 100.0),
            "cost 20 replica-hours more (20.0 % of 100) and left 2.0 % of the load unmet instead of 0.10 %. It "
            "missed the objective of 0.50 %",
            id="worse in both",
        ),
        pytest.param(
            (0.001, 100.1),
            (0.02, 100.0),
            "cost as much (100 replica-hours) and left 0.10 % of the load unmet instead of 2.0 %",
            id="as much",
        ),
        pytest.param(
            (0.0, 80.0),
            (0.0, 100.0),
            "saved 20 replica-hours (20.0 % of 100) and left as much of the load unmet (0 %)",
            id="nothing unmet",
        ),
    ],
)
def test_the_saving(own: tuple[float, float], other: tuple[float, float], want: str) -> None:
    result = make_result(make_outcome(*own), make_outcome(*other))
    assert describe_saving(result) == f"Against the HPA at 70 %, presage would have {want}."


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"),
        (1e-9, "< 0.001 %"),
        (6e-6, "0.001 %"),
        (1.2e-5, "0.001 %"),
        (0.000123, "0.012 %"),
        (0.00456, "0.46 %"),
        (0.0123, "1.2 %"),
        (0.123, "12.3 %"),
        (1.0, "100.0 %"),
    ],
)
def test_a_share_has_the_digits_that_matter(share: float, text: str) -> None:
    assert percent(share) == text
