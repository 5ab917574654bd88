"""Escalation: when something unforeseen happens, some instances record more for a while.

It lasts as long as it was begun for, whatever becomes of the sign that began it: what explains a surprise is often seen
after it. Then there is a pause, in which no sign begins another. Functions are told when it ends, so it ends without
presage too. Level-triggered: the same call at any moment, with the end of the last one as its only memory; status holds
that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from presage.core.recording import reasons
from presage.core.recording.spec import EscalationPolicy

BURN_RATE = 14.4
"""How many times faster than the objective allows load goes unserved in an emergency: at this rate a fiftieth of what
may go unserved in 30 days does so in an hour. Source: The Site Reliability Workbook, ch. 5, Alerting on SLOs."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What may begin an escalation.

    Attributes:
        surprise: The load is more than three standard deviations from its forecast.
        burning: Load goes unserved much faster than the objective allows; see `is_burning`.
    """

    surprise: bool = False
    burning: bool = False


@dataclass(frozen=True, slots=True)
class EscalationMemory:
    """The last escalation.

    Attributes:
        until: Epoch second at which it ends or ended.
        reason: Why it began.
    """

    until: float
    reason: str


def escalate(
    policy: EscalationPolicy | None, signs: Signs, memory: EscalationMemory | None, now: float
) -> EscalationMemory | None:
    """Return the escalation under way or the last one; it is under way while `is_under_way` says so.

    Args:
        policy: None = there is none, and one under way is over.
        signs: What is seen now.
        memory: From the previous call; None before the first.
        now: Epoch seconds.
    """
    if policy is None:
        return None
    if memory is not None:
        memory = replace(memory, until=min(memory.until, now + policy.lasts_s))  # also after a clock was set back
        if now < memory.until + policy.pause_s:
            return memory
    if signs.burning or signs.surprise:
        reason = reasons.OBJECTIVE_BURN if signs.burning else reasons.SURPRISE
        return EscalationMemory(float(math.floor(now + policy.lasts_s)), reason)  # as status holds it: to the second
    return memory


def is_under_way(memory: EscalationMemory | None, now: float) -> bool:
    """Return whether some instances are to record more now."""
    return memory is not None and now < memory.until


def is_burning(load: float | None, served: float | None, unmet: float) -> bool:
    """Return whether load goes unserved so fast that somebody should look.

    Args:
        load: What is asked for, per second; None = not known: then nothing burns.
        served: What ready instances serve at most, per second; None as above.
        unmet: Share of the load that may go unserved, the objective.
    """
    if load is None or served is None or not load > 0:
        return False
    return 1 - served / load > BURN_RATE * unmet
