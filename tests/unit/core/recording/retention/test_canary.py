"""What looks at a tier's server show: a table of moments, and whole lives of canaries on servers of several kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from presage.core.recording.retention.canary import (
    Canary,
    Judged,
    Look,
    build_held_query,
    build_newest_query,
    find_due,
    find_lead,
    find_longer,
    find_window,
    judge_tier,
)
from presage.core.recording.retention.tiers import Retention, Tier

TIER = Tier("2h", "http://a", 600.0)
T0 = 1_000_000.0
SEEN = Canary("http://a", T0, seen=True)
DUE = T0 + 7200 + 600
HELD, GONE = Look(newest=T0 + 9000, held=True), Look(newest=T0 + 9000, held=False)


@dataclass(frozen=True)
class Case:
    """One look.

    Attributes:
        canary: What is remembered.
        look: What is found.
        now: When.
        state: What is made of it.
        failure: What is remembered of it.
        proven: Whether a proof is remembered.
    """

    canary: Canary
    look: Look
    now: float
    state: str
    failure: str = ""
    proven: bool = False


CASES = {
    "nothing arrives": Case(Canary("http://a"), Look(), T0, "Waiting"),
    "the first sample is the canary": Case(Canary("http://a"), Look(newest=T0), T0 + 5, "Waiting"),
    "still there, not due": Case(SEEN, HELD, DUE - 1, "Waiting"),
    "still there, due": Case(SEEN, HELD, DUE + 1, "NotEnforced", "KeptTooLong"),
    "gone as soon as it may": Case(SEEN, GONE, T0 + 7200, "Proven", proven=True),
    "gone when due": Case(SEEN, GONE, DUE, "Proven", proven=True),
    "gone, but nobody looked in time": Case(SEEN, GONE, DUE + 721, "Waiting"),
    "gone before the tier is over": Case(SEEN, GONE, T0 + 7100, "NotEnforced", "LostEarly"),
    "gone, and nothing arrives: an emptied server": Case(SEEN, Look(held=False), T0 + 7300, "Waiting"),
    "a proof ends a failure": Case(replace(SEEN, failure="KeptTooLong"), GONE, DUE, "Proven", proven=True),
    "the next one in time": Case(replace(SEEN, failure="KeptTooLong"), HELD, DUE - 1, "NotEnforced", "KeptTooLong"),
    "proven before, the next one waits": Case(replace(SEEN, proven_at=T0), HELD, DUE - 1, "Proven", proven=True),
    "proven before, then kept": Case(replace(SEEN, proven_at=T0), HELD, DUE + 1, "NotEnforced", "KeptTooLong"),
    "kept elsewhere": Case(
        replace(SEEN, proven_at=T0), replace(HELD, elsewhere=("http://b",)), T0 + 9, "NotEnforced", "KeptElsewhere"
    ),
    "no longer kept elsewhere": Case(Canary("http://a", failure="KeptElsewhere"), Look(newest=T0), T0, "Waiting"),
    "server down": Case(SEEN, Look(fault="no connection"), DUE + 1, "SourceDown"),
    "server down after a proof": Case(replace(SEEN, proven_at=T0), Look(fault="x"), DUE, "SourceDown", proven=True),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_one_look(case: Case) -> None:
    judged = judge_tier(TIER, case.canary, case.look, case.now)
    assert judged.state == case.state
    assert judged.canary.failure == case.failure
    assert (judged.canary.proven_at is not None) == case.proven
    assert judged.write_at is None, "only a back end that takes samples of the past is written to"


def test_the_next_canary_is_taken_at_once() -> None:
    judged = judge_tier(TIER, SEEN, replace(GONE, newest=T0 + 7300.7), DUE)
    assert judged.canary == Canary("http://a", T0 + 7300, seen=True, proven_at=DUE)


Server = Callable[[float, float], bool]
"""Whether a server still shows a sample of a time, at a time."""


def live(server: Server, tier: Tier, *, every_s: float, until_s: float, lead_s: float | None = None) -> list[Judged]:
    """Play looks at a server that is scraped without a gap, and takes what is written unless it is too old already."""
    canary, judged, written = Canary(tier.url), [], set[float]()
    now, start = T0, T0
    while now < start + until_s:
        at = canary.at
        there = at is not None and (at in written if lead_s is not None else True) and server(at, now)
        judged.append(judge_tier(tier, canary, Look(now, there if at is not None else None), now, lead_s=lead_s))
        canary = judged[-1].canary
        if (write := judged[-1].write_at) is not None and server(write, now):
            written.add(write)
        now += every_s
    return judged


def keeps(seconds: float, block: float = 1.0) -> Server:
    """Return a server that drops blocks of `block` seconds a retention after their end."""
    return lambda at, now: now < (at // block + 1) * block + seconds


DAY = Tier("1d", "http://v", 60.0)
LIVES: dict[str, tuple[Server, Tier, float | None, set[str]]] = {
    "blocks within the granularity": (keeps(7200, 600), TIER, None, {"Waiting", "Proven"}),
    "blocks as long as the tier": (keeps(7200, 7200), TIER, None, {"Waiting", "NotEnforced", "Proven"}),
    "keeps all": (lambda at, now: True, TIER, None, {"Waiting", "NotEnforced"}),
    "keeps too little": (keeps(3600, 60), TIER, None, {"Waiting", "NotEnforced"}),
    "exact, written back": (keeps(86_400), DAY, 60.0, {"Waiting", "Proven"}),
    "keeps a week, written back": (keeps(604_800), DAY, 60.0, {"Waiting", "NotEnforced"}),
    "keeps an hour, written back": (keeps(3600), DAY, 60.0, {"Waiting"}),
}


@pytest.mark.parametrize(("server", "tier", "lead_s", "states"), LIVES.values(), ids=LIVES)
def test_a_whole_life(server: Server, tier: Tier, lead_s: float | None, states: set[str]) -> None:
    judged = live(server, tier, every_s=30, until_s=40_000, lead_s=lead_s)
    assert {each.state for each in judged} == states
    if len(states) < 3:  # else it depends on where in its block a canary happens to be: some are late
        assert judged[-1].state == next(iter(states - {"Waiting"}), "Waiting"), "and there it stays"
    if lead_s is not None and "Proven" in states:
        first = next(i for i, each in enumerate(judged) if each.state == "Proven")
        assert first * 30 <= 300, "minutes instead of a day"
        assert sum(each.write_at is not None for each in judged) <= 3, "a proof is renewed, not repeated all the time"


def test_a_canary_that_cannot_be_written_is_tried_rarely_and_claims_nothing() -> None:
    judged = live(keeps(3600), DAY, every_s=30, until_s=3600, lead_s=60.0)
    assert 2 <= sum(each.write_at is not None for each in judged) <= 7
    assert "takes none, or keeps less" in judged[-1].message


def test_what_is_asked() -> None:
    assert build_newest_query('ma"in') == (
        'max by (presage_retention) (timestamp(presage_retention_canary{name="ma\\"in"}))'
    )
    assert build_held_query("main", TIER) == (
        'sum(count_over_time(presage_retention_canary{name="main",presage_retention="2h"}[300s]))'
    )


def test_spans() -> None:
    assert [find_window(replace(TIER, name=name)) for name in ("20s", "10m", "15d")] == [5.0, 60.0, 300.0]
    assert [find_lead(period) for period in (5.0, 30.0, 3600.0)] == [60.0, 90.0, 10_800.0]
    assert find_due(TIER, SEEN) == DUE
    assert find_due(TIER, Canary("http://a")) is None


def test_servers_that_would_keep_it_longer() -> None:
    long = Tier("15d", "http://b", 0.0)
    retention = Retention("Prometheus", (TIER, long))
    assert find_longer(retention, TIER, "http://a") == ("http://b",)
    assert find_longer(retention, TIER, "http://main") == ("http://b", "http://main"), "whose retention nobody knows"
    assert find_longer(retention, long, "http://a") == ()
