"""Canaries: samples of a known time by which a tier is proven, or shown not to hold.

presage exports one series for each tier, which takes the same way as all others of the tier. One of its samples is
the canary: it must be on the tier's server until the tier is over, and gone by the tier and the back end's
granularity. Then the next one is taken, so that a proof is renewed for as long as the tier exists. Where a back end
takes samples of the past, the canary is written with an old time, and the proof needs minutes instead of the tier.

Invariants: a canary proves something only if it was seen on the server, only while the server still receives the
series (an emptied server, or another one, proves nothing), and only if its end was seen soon after it was due.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from presage.core.query import quote
from presage.core.recording.marks import RETENTION_ATTRIBUTE
from presage.core.recording.retention.tiers import Retention, Tier

METRIC = "presage_retention_canary"
SOURCE_LABEL = "name"
"""Names the MetricSource whose canary it is."""

State = Literal["Waiting", "Proven", "NotEnforced", "SourceDown"]
Failure = Literal["", "KeptTooLong", "LostEarly", "KeptElsewhere"]

_LONGEST_WINDOW_S = 300.0
_SHORTEST_WINDOW_S = 5.0
_LEAST_LEAD_S = 60.0
_LEAD_PERIODS = 3.0
_LEAST_DELAY_S = 600.0
_RENEWAL_S = 6 * 3600.0
_REWRITE_S = 600.0
_MOST_TOLERANCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Canary:
    """What is known of a tier's canary; the state of the proof.

    Attributes:
        url: Of the server that it is on.
        at: Epoch second of the sample; None before there is one.
        seen: Whether it was found on the server.
        proven_at: When a canary was last gone in time; None if none was since the last failure.
        failure: What the last canary showed that was not gone in time; empty if there was none since the last proof.
    """

    url: str
    at: float | None = None
    seen: bool = False
    proven_at: float | None = None
    failure: Failure = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found of one tier.

    Attributes:
        newest: Epoch second of the newest sample of its series on its server; None = none in the last minutes.
        held: Whether the canary is still there; None = there is none to ask for.
        elsewhere: Addresses of servers that keep this tier's series longer and have them too.
        fault: Why the server cannot be asked; empty if it can.
    """

    newest: float | None = None
    held: bool | None = None
    elsewhere: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is made of one tier.

    Attributes:
        state: Whether it is proven.
        message: Why, for a person; empty where the state says all.
        canary: To be remembered.
        write_at: Epoch second of the canary to write now, where the back end takes samples of the past.
    """

    state: State
    message: str
    canary: Canary
    write_at: float | None = None


def build_newest_query(source: str) -> str:
    """Return the query of the newest sample's time, for each tier whose canary a server receives."""
    return f"max by ({RETENTION_ATTRIBUTE}) (timestamp({METRIC}{{{SOURCE_LABEL}={quote(source)}}}))"


def build_held_query(source: str, tier: Tier) -> str:
    """Return the query of the samples around a canary; asked one second after it, it finds them while they are kept."""
    matchers = f"{SOURCE_LABEL}={quote(source)},{RETENTION_ATTRIBUTE}={quote(tier.name)}"
    return f"sum(count_over_time({METRIC}{{{matchers}}}[{find_window(tier):.0f}s]))"


def find_window(tier: Tier) -> float:
    """Return the seconds before a canary in which no sample may be left: a tenth of the tier, at most 5 min."""
    return max(_SHORTEST_WINDOW_S, min(_LONGEST_WINDOW_S, tier.seconds / 10))


def find_due(tier: Tier, canary: Canary) -> float | None:
    """Return the epoch second by which the canary must be gone."""
    return None if canary.at is None else canary.at + tier.seconds + tier.granularity_s


def find_longer(retention: Retention, tier: Tier, url: str) -> tuple[str, ...]:
    """Return the addresses of all servers that would keep a tier's series longer than it says.

    Args:
        retention: All tiers.
        tier: One of them.
        url: Of the source itself; its retention is not known unless it is a tier's server.
    """
    longer = [each.url for each in retention.tiers if each.seconds > tier.seconds]
    return tuple(longer if url in {each.url for each in retention.tiers} else [*longer, url])


def judge_tier(tier: Tier, canary: Canary, look: Look, now: float, *, lead_s: float | None = None) -> Judged:
    """Return what a look at a tier's server shows.

    Args:
        tier: The tier.
        canary: What is remembered.
        look: What was found.
        now: Epoch seconds.
        lead_s: How long before its end a canary is written, where the back end takes samples of the past; else None.
    """
    if look.fault:
        return Judged("SourceDown", look.fault, canary)
    if look.newest is None:
        message = f"{tier.url} has no recent {METRIC} of tier {tier.name}: have it scrape presage as generated"
        return Judged("NotEnforced" if canary.failure else "Waiting", message, canary)
    if look.elsewhere:
        message = f"series of tier {tier.name} are on {look.elsewhere[0]} too, which keeps them longer"
        return Judged("NotEnforced", message, Canary(canary.url, failure="KeptElsewhere"))
    canary = replace(canary, failure="") if canary.failure == "KeptElsewhere" else canary
    if lead_s is not None and not look.held and not canary.seen:
        return _judge_written(tier, canary, now, lead_s)
    if canary.at is None:
        return _state(tier, _take_next(canary, look.newest, backdated=False))
    if look.held:
        return _judge_held(tier, replace(canary, seen=True), look.newest, now, backdated=lead_s is not None)
    return _judge_gone(tier, canary, look.newest, now, backdated=lead_s is not None)


def find_lead(period_s: float) -> float:
    """Return how long before its end a canary is written: it must be seen a few times first.

    Args:
        period_s: Seconds between two looks.
    """
    return max(_LEAST_LEAD_S, _LEAD_PERIODS * period_s)


def _judge_written(tier: Tier, canary: Canary, now: float, lead_s: float) -> Judged:
    """Write a canary that is nearly over, and again if it does not show up; claim nothing of one that never did."""
    if canary.at is None:
        fresh = canary.proven_at is not None and now - canary.proven_at < _RENEWAL_S
        return _state(tier, canary) if fresh else _write(tier, canary, now, lead_s)
    written_at = canary.at + tier.seconds - lead_s
    message = f"a sample {tier.name} old that was written to {tier.url} is not there: it takes none, or keeps less"
    again = now > written_at + max(lead_s, _REWRITE_S)
    said = _write(tier, canary, now, lead_s) if again else _state(tier, canary)
    return said if said.message else replace(said, message=message)


def _write(tier: Tier, canary: Canary, now: float, lead_s: float) -> Judged:
    at = float(int(now - tier.seconds + lead_s))
    return replace(_state(tier, replace(canary, at=at)), write_at=at)


def _judge_held(tier: Tier, canary: Canary, newest: float, now: float, *, backdated: bool) -> Judged:
    due = find_due(tier, canary)
    if due is None or now <= due:
        return _state(tier, canary)
    return _state(tier, replace(_take_next(canary, newest, backdated=backdated), failure="KeptTooLong", proven_at=None))


def _judge_gone(tier: Tier, canary: Canary, newest: float, now: float, *, backdated: bool) -> Judged:
    due = find_due(tier, canary)
    if canary.at is None or due is None:
        raise AssertionError("a canary that is gone was there")
    following = _take_next(canary, newest, backdated=backdated)
    if now < canary.at + tier.seconds - min(_MOST_TOLERANCE_S, tier.seconds / 20):
        return _state(tier, replace(following, failure="LostEarly", proven_at=None))
    if now > due + max(_LEAST_DELAY_S, tier.seconds / 10):
        return _state(tier, following)  # nobody looked when it was due: it says nothing
    return _state(tier, replace(following, failure="", proven_at=now))


def _take_next(canary: Canary, newest: float, *, backdated: bool) -> Canary:
    """Return the next canary, with what the last one showed; an old one is yet to be written."""
    at = None if backdated else float(int(newest))
    return replace(canary, at=at, seen=not backdated)


def _state(tier: Tier, canary: Canary) -> Judged:
    if canary.failure == "KeptTooLong":
        message = f"{tier.url} keeps samples longer than {tier.name}: start it with the generated arguments"
        return Judged("NotEnforced", message, canary)
    if canary.failure == "LostEarly":
        message = f"{tier.url} lost samples before {tier.name} were over: see its storage and its retention"
        return Judged("NotEnforced", message, canary)
    return Judged("Waiting" if canary.proven_at is None else "Proven", "", canary)
