"""Lead time: which starts count, and what follows from them."""

from __future__ import annotations

import math

import pytest

from presage.core.scaling.lead_time import (
    LONGEST_S,
    MAX_SAMPLES,
    LeadTime,
    PodStart,
    Starts,
    decide_lead_time,
    recall_starts,
    watch_starts,
)

REMEMBERED = Starts((4.0, 5.0, 6.0, 7.0))


@pytest.mark.parametrize(
    ("seconds", "measured", "override", "want"),
    [
        pytest.param((), False, None, LeadTime(75, 0, "Default"), id="nothing known"),
        pytest.param((4, 5), True, None, LeadTime(75, 2, "Default"), id="two starts are too few"),
        pytest.param((4, 9, 5), True, None, LeadTime(24, 3, "Measured"), id="three are enough"),
        pytest.param((4, 9, 5), False, None, LeadTime(24, 3, "Remembered"), id="a restart forgets nothing"),
        pytest.param((4, 4, 4), True, 30, LeadTime(45, 3, "Override"), id="the user knows better"),
        pytest.param((5,) * 18 + (9, 90), True, None, LeadTime(20, 20, "Measured"), id="two of twenty are passed over"),
        pytest.param((5,) * 17 + (9, 9, 90), True, None, LeadTime(24, 20, "Measured"), id="the ninetieth percentile"),
        pytest.param((9, 11, 300), True, None, LeadTime(26, 3, "Measured"), id="one slow image pull of three"),
        pytest.param((9, 11, 300, 310), True, None, LeadTime(325, 4, "Measured"), id="two of four are no accident"),
        pytest.param((9, 11, 33), True, None, LeadTime(48, 3, "Measured"), id="three times the median is no outlier"),
        pytest.param((0, 0, 0), True, None, LeadTime(15, 3, "Measured"), id="at once"),
    ],
)
def test_lead_time(seconds: tuple[float, ...], measured: bool, override: float | None, want: LeadTime) -> None:
    assert decide_lead_time(Starts(seconds, frozenset(), measured), override, 15.0) == want


def ready(uid: str, seconds: float = 8.0) -> PodStart:
    return PodStart(uid, seconds)


def waiting(uid: str) -> PodStart:
    return PodStart(uid, None)


Looks = tuple[tuple[PodStart, ...], ...]

WATCHED: dict[str, tuple[Starts, Looks, tuple[float, ...]]] = {
    "a pod that came": (Starts(), ((), (waiting("a"),), (ready("a"),)), (8,)),
    "between two looks": (Starts(), ((), (ready("a"),)), (8,)),
    "on its way at the first look": (Starts(), ((waiting("a"),), (ready("a"),)), (8,)),
    "counts once": (Starts(), ((), (ready("a"),), (ready("a"),)), (8,)),
    "lost and regained readiness": (Starts(), ((), (ready("a"),), (waiting("a"),), (ready("a", 900),)), (8,)),
    "lost it before the first look": (Starts(), ((PodStart("a", None, True),), (ready("a", 900),)), ()),
    "its container restarted before": (Starts(), ((), (waiting("a"),), (PodStart("a", 900, True),)), ()),
    "its container restarted after": (Starts(), ((), (ready("a"),), (PodStart("a", 900, True),)), (8,)),
    "a clock that runs behind": (Starts(), ((), (ready("a", -1),)), ()),
    "never got Ready": (Starts(), ((), (waiting("a"),), ()), ()),
    "later than any start": (Starts(), ((), (ready("a", LONGEST_S + 1),)), ()),
    "a rolling update": (
        Starts(),
        ((ready("a", 3), ready("b", 3)), (ready("a", 3), ready("b", 3), waiting("c")), (ready("b", 3), ready("c", 9))),
        (3, 3, 9),
    ),
    "there before, and nothing better is known": (
        Starts(),
        ((ready("a", 3), ready("b", 4), ready("c", 5)),),
        (3, 4, 5),
    ),
    "there before, one of them regained": (Starts(), ((ready("a", 3), ready("b", 4), ready("c", 999)),), (3, 4)),
    "there before, one of them restarted": (Starts(), ((ready("a", 3), PodStart("b", 4, True)),), (3,)),
    "there before, and starts are remembered": (REMEMBERED, ((ready("a", 3), ready("b", 4)),), REMEMBERED.seconds),
    "after a restart another one": (REMEMBERED, ((ready("a"),), (ready("a"), ready("b", 9))), (4, 5, 6, 7, 9)),
    "too few are remembered": (Starts((4,)), ((ready("a", 3), ready("b", 5)),), (3, 5)),
    "one is remembered, none is there": (Starts((4,)), ((),), (4,)),
}


@pytest.mark.parametrize("name", WATCHED)
def test_which_starts_count(name: str) -> None:
    starts, looks, want = WATCHED[name]
    for pods in looks:
        starts = watch_starts(starts, pods)
    assert starts.seconds == want


def test_what_is_remembered_is_no_measurement_until_a_pod_comes() -> None:
    there = watch_starts(REMEMBERED, (ready("a"),))
    assert decide_lead_time(there, None, 15).source == "Remembered"
    more = watch_starts(there, (ready("a"), ready("b")))
    assert decide_lead_time(more, None, 15) == LeadTime(23, 5, "Measured")


def test_the_last_fifty_count() -> None:
    starts = watch_starts(Starts(), ())
    for i in range(60):
        starts = watch_starts(starts, tuple(ready(f"pod-{j}", 1000 if j < 10 else 5) for j in range(i + 1)))
    assert starts.seconds == (5,) * MAX_SAMPLES
    assert starts.met is not None
    assert len(starts.met) == 60


def test_pods_that_went_are_forgotten() -> None:
    starts = watch_starts(watch_starts(Starts(), (ready("a"), ready("b"))), (ready("b"),))
    assert starts.met == {"b"}


def test_status_of_another_hand_is_no_trouble() -> None:
    given = ["x", None, math.nan, math.inf, -1, 7, LONGEST_S + 1, 8.5]
    assert recall_starts(given).seconds == (7, 8.5)
    assert recall_starts(range(100)).seconds == tuple(range(50, 100))
