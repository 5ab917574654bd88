"""A number that somebody else gave the target: kept if it is above ours, until the need changes.

Who scales by hand knows something that no metric says, such as a campaign that starts at noon. So a number above ours
stays as long as the load asks for what it asked for at that time; from then on the usual rules hold, with a whole
stabilization window ahead of the first replica that goes. A number below ours is no wish to serve less: it is left
where it serves the load, and corrected at once where it does not.

Whose number is found cannot be read from the target: the API server keeps no owner of a `spec.replicas` that was
written as 0 through `scale`. So it is told by what was found and asked for before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from presage.core.scaling.decision import Brake, ReplicaDecision, ScalingMemory
from presage.core.scaling.policy import ScalingPolicy

_KEPT: tuple[str, Brake] = ("Manual", "Manual")
_ENDED: tuple[str, Brake] = ("Stabilization", "Window")
PENDING = 4  # numbers asked for that a lagging watch, or a refusal, may leave unconfirmed


@dataclass(frozen=True, slots=True)
class Kept:
    """A number above ours: the replicas, and what the load alone asked for then; None = not known yet."""

    replicas: int
    wanted: int | None


@dataclass(frozen=True, slots=True)
class Hand:
    """Numbers that are ours, so that another is seen to be somebody else's.

    Attributes:
        found: Replicas at the previous decision; None while decisions are not written.
        asked: Numbers asked for since, and not found yet.
        kept: What somebody else set, while it is kept.
    """

    found: int | None = None
    asked: tuple[int, ...] = ()
    kept: Kept | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody else set the target from `ours` to `theirs`."""

    ours: int
    theirs: int


def find_change(hand: Hand, current: int) -> Change | None:
    """Return what somebody else did to the target since the previous decision; None if nothing that can be told."""
    if hand.found is None or current == hand.found or current in hand.asked:
        return None
    return Change(hand.asked[-1] if hand.asked else hand.found, current)


def keep_manual(
    policy: ScalingPolicy,
    hand: Hand,
    current: int,
    decision: ReplicaDecision,
    now: float,
    *,
    may_judge: bool,
) -> tuple[ReplicaDecision, Kept | None]:
    """Return the decision that leaves a number above ours where it is, and what is kept from now on.

    Args:
        policy: The user's limits; the maximum holds for people too.
        hand: Before.
        current: Replicas asked of the target at present.
        decision: What the load and the brakes say.
        now: Epoch seconds.
        may_judge: The need is known well enough to remove a replica, so it is known whether it changed.
    """
    kept, change = hand.kept, find_change(hand, current)
    wanted = decision.wanted if may_judge else None
    if change is not None:
        kept = Kept(current, None) if change.theirs > change.ours else None
    elif kept is not None and current != kept.replicas:
        kept = None
    if kept is not None and kept.wanted is None:
        kept = replace(kept, wanted=wanted)
    ceiling = min(current, policy.max_replicas)
    if kept is not None and decision.wanted >= ceiling:
        kept = None
    elif kept is not None:
        ended = wanted is not None and wanted != kept.wanted
        memory = replace(decision.memory, since=now) if ended else decision.memory
        binding, brake = _ENDED if ended else _KEPT
        decision = replace(decision, replicas=ceiling, binding=binding, brake=brake, memory=memory)
        kept = None if ended else replace(kept, replicas=ceiling)
    return decision, kept


def remember_asked(hand: Hand, current: int, replicas: int, kept: Kept | None) -> Hand:
    """Return the hand after the target was set from `current` to `replicas` (equal: it was left alone)."""
    waiting = hand.asked if current == hand.found else ()
    asked = (*waiting, replicas)[-PENDING:] if replicas != current else waiting
    return Hand(current, asked, kept)


def begin_acting(memory: ScalingMemory, hand: Hand) -> ScalingMemory:
    """Return the memory for a decision that is written: the first one after a pause has a whole window ahead of it."""
    return replace(memory, since=None) if hand.found is None else memory
