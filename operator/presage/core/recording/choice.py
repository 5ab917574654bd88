"""Which profile an event type is recorded by: from its predicted load, with hysteresis and dwell.

The load given is the upper quantile of the forecast, the highest from now until an instance asked for now is ready
and one dwell beyond. Hence the two directions differ:

- A rise is never delayed. All load that is seen lies within the lead time and one dwell: to wait for the end of a
  dwell could be to wait for the end of the peak.
- A fall waits until the load is below `LEAVE_SHARE` of the threshold, and until `dwell_s` after the last change.

So any two falls are at least one dwell apart, no fall comes within a dwell after a rise, and a load that stays between
`LEAVE_SHARE` of a threshold and the threshold changes nothing. "Rise" and "fall" are said of the level, whose profile
may record more or less: users order profiles as they like.

A forecast that goes away leaves the choice for one dwell; then `Standard` holds until there is one again. A restart
takes profile and time from status, and waits as long for a forecast: a new process has none at first.
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass

from presage.core.recording import reasons
from presage.core.recording.spec import Level, RecordedEvent
from presage.core.recording.types import DEBUG, STANDARD

LEAVE_SHARE = 0.8
"""A level is left once the load is below this share of the threshold at which it began."""


@dataclass(frozen=True, slots=True)
class ChoiceMemory:
    """What one choice leaves to the next; a restart takes the first two from status.

    Attributes:
        profile: That was chosen.
        since: Epoch second from which on that profile has been chosen; -inf if it is not known.
        level: Index of the level that it was chosen for; None where it was for none, or is not known.
        seen: Epoch second at which there was a forecast last; None = not known.
    """

    profile: str
    since: float = -math.inf
    level: int | None = None
    seen: float | None = None


@dataclass(frozen=True, slots=True)
class ProfileChoice:
    """The profile that an event type is to be recorded by.

    Attributes:
        profile: Its name, one that is known.
        reason: One of `reasons`.
        memory: To be given to the next choice.
    """

    profile: str
    reason: str
    memory: ChoiceMemory


def choose(
    event: RecordedEvent,
    known: Container[str],
    predicted: float | None,
    memory: ChoiceMemory | None,
    now: float,
    dwell_s: float,
) -> ProfileChoice:
    """Return the profile of one event type.

    Args:
        event: Its levels, and whether it is critical.
        known: Names of the profiles that there are, the built-in three among them.
        predicted: Events per second, as above; None or NaN = there is no forecast.
        memory: From the previous choice; None before the first.
        now: Epoch seconds.
        dwell_s: Two steps of the forecast, seconds.
    """
    if event.critical:
        return _keep_or_change(DEBUG, reasons.CRITICAL, None, memory, now)
    if predicted is None or math.isnan(predicted):
        return _choose_blindly(known, memory, now, dwell_s)
    due = _find_level(event.levels, predicted)
    held = _recall_level(event.levels, memory, due, known)
    if held is None or memory is None or due >= held:
        return _take_level(event.levels, due, known, memory, now, reasons.PREDICTED_LOAD)
    if 0 <= now - memory.since < dwell_s:  # a clock set back must not hold it for longer
        return _take_level(event.levels, held, known, memory, now, reasons.DWELL)
    left = _leave(event.levels, held, predicted)
    reason = reasons.PREDICTED_LOAD if left == due else reasons.NEAR_THRESHOLD
    return _take_level(event.levels, left, known, memory, now, reason)


def _find_level(levels: Sequence[Level], load: float) -> int:
    return max((i for i, level in enumerate(levels) if i == 0 or load > level.above), default=0)


def _leave(levels: Sequence[Level], held: int, load: float) -> int:
    """Return the highest level up to `held` that the load is not far enough below to leave."""
    return next((i for i in range(held, 0, -1) if load >= LEAVE_SHARE * levels[i].above), 0)


def _recall_level(levels: Sequence[Level], memory: ChoiceMemory | None, due: int, known: Container[str]) -> int | None:
    """Return the level that holds; None if the profile was chosen for none of these levels.

    A level is known by its profile too: levels may have changed, and status has the profile alone. Where several
    levels have that profile it is the one closest to the level that is due.
    """
    if memory is None:
        return None
    alike = [i for i, level in enumerate(levels) if _resolve(level, known) == memory.profile]
    if memory.level in alike:
        return memory.level
    return min(alike, key=lambda i: (abs(i - due), -i), default=None)


def _resolve(level: Level, known: Container[str]) -> str:
    return level.profile if level.profile in known else STANDARD


def _take_level(
    levels: Sequence[Level], index: int, known: Container[str], memory: ChoiceMemory | None, now: float, reason: str
) -> ProfileChoice:
    profile = _resolve(levels[index], known)
    if profile != levels[index].profile:
        reason = reasons.UNKNOWN_PROFILE
    return _keep_or_change(profile, reason, index, memory, now, seen=now)


def _choose_blindly(known: Container[str], memory: ChoiceMemory | None, now: float, dwell_s: float) -> ProfileChoice:
    if memory is None:
        return _keep_or_change(STANDARD, reasons.NO_FORECAST, None, None, now)
    seen = now if memory.seen is None else memory.seen
    if 0 <= now - seen < dwell_s and memory.profile != STANDARD and memory.profile in known:
        return _keep_or_change(memory.profile, reasons.DWELL, memory.level, memory, now, seen=seen)
    return _keep_or_change(STANDARD, reasons.NO_FORECAST, None, memory, now, seen=seen)


def _keep_or_change(
    profile: str, reason: str, level: int | None, memory: ChoiceMemory | None, now: float, seen: float | None = None
) -> ProfileChoice:
    """Return the choice; one of the same profile is as old as it was."""
    since = memory.since if memory is not None and memory.profile == profile else now
    return ProfileChoice(profile, reason, ChoiceMemory(profile, since, level, seen))
