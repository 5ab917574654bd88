"""From the clock on the wall to moments in time, where it skips an hour and where it shows one twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)


def start_of(wall: datetime, zone: ZoneInfo) -> float:
    """Return the epoch second at which something begins that begins at `wall` on the wall.

    Shown twice, the first time counts. Skipped, it is the moment of the jump.
    """
    first, second = _both(wall, zone)
    return first if first <= second else _jump_between(second, first, zone)


def end_of(wall: datetime, zone: ZoneInfo) -> float:
    """Return the epoch second at which something is over that ends at `wall` on the wall.

    Of the second before it, the last time it is shown counts. Skipped, the end is as much later as was skipped.
    """
    first, second = _both(wall, zone)
    last_first, last_second = _both(wall - SECOND, zone)
    if first > second or last_first > last_second:  # in the gap, or at its end
        return first
    return max(last_first, last_second) + 1


def extent_of(start: datetime, end: datetime, zone: ZoneInfo) -> tuple[float, float]:
    """Return the epoch seconds between which something lasts; what lies in a skipped hour follows it, as long."""
    begins, ends = start_of(start, zone), end_of(end, zone)
    return begins, ends if ends > begins else begins + (end - start).total_seconds()


def wall_of(at: float, zone: ZoneInfo) -> datetime:
    """Return what the clock on the wall shows at a moment, without its offset."""
    return datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0)


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name, which was checked before."""
    return ZoneInfo(name)


def _both(wall: datetime, zone: ZoneInfo) -> tuple[float, float]:
    """Return both readings (PEP 495): alike, in order where shown twice, in reverse where skipped."""
    local = wall.replace(tzinfo=zone)
    return local.replace(fold=0).timestamp(), local.replace(fold=1).timestamp()


def _jump_between(low: float, high: float, zone: ZoneInfo) -> float:
    """Return the moment in (low, high] at which the zone's offset changes, to the second."""
    before = _offset(low, zone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return high


def _offset(at: float, zone: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(at, UTC).astimezone(zone).utcoffset()
