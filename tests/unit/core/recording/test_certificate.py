from __future__ import annotations

import pytest

from presage.core.recording.certificate import OVERLAP_S, Validity, plan_step

NAMES = frozenset({"a.svc"})
DAY = 86400.0
MADE = 1_000_000.0
SERVING = Validity(MADE, MADE + 90 * DAY, NAMES)


def made(days: float) -> Validity:
    return Validity(MADE + days * DAY, MADE + (days + 90) * DAY, NAMES)


CASES = {
    "none yet": (None, None, 0.0, "Begin"),
    "new": (SERVING, None, 1.0, "Keep"),
    "two thirds are over": (SERVING, None, 60.1, "Stage"),
    "shortly before that": (SERVING, None, 59.9, "Keep"),
    "the next one was just made": (SERVING, made(60.1), 60.1, "Keep"),
    "the next one was trusted long enough": (SERVING, made(60.1), 60.1 + (OVERLAP_S + 1) / DAY, "Promote"),
    "it ended without a next one": (SERVING, None, 90.0, "Begin"),
    "it ended with a next one": (SERVING, made(60.1), 90.0, "Begin"),
    "for another name": (Validity(MADE, MADE + 90 * DAY, frozenset({"b.svc"})), None, 1.0, "Begin"),
    "the next one is for another name": (SERVING, Validity(MADE, MADE, frozenset({"b.svc"})), 60.1, "Stage"),
}


@pytest.mark.parametrize(("serving", "following", "days", "want"), CASES.values(), ids=CASES)
def test_steps(serving: Validity | None, following: Validity | None, days: float, want: str) -> None:
    assert plan_step(serving, following, NAMES, MADE + days * DAY) == want


@pytest.mark.parametrize("life_s", [60.0, 3600.0, 90 * DAY])
def test_a_life_of_steps_never_serves_what_is_not_trusted_or_has_ended(life_s: float) -> None:
    """Played in small steps: the served one is always valid, and was trusted before it was served."""
    now, serving, following = MADE, Validity(MADE, MADE + life_s, NAMES), None
    promoted = 0
    while now < MADE + 5 * life_s:
        step = plan_step(serving, following, NAMES, now)
        assert step != "Begin"
        if step == "Stage":
            following = Validity(now, now + life_s, NAMES)
        elif step == "Promote":
            assert following is not None
            assert now - following.made_at >= min(OVERLAP_S, life_s / 6)
            serving, following, promoted = following, None, promoted + 1
        assert now < serving.ends_at
        now += life_s / 50
    assert promoted >= 5
