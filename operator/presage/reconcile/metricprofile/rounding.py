"""Numbers and times of day as status shows them: rounded so that noise stays out."""

from __future__ import annotations

from datetime import UTC, datetime

from presage.core.scaling.decision import count_pods

DIGITS = 3  # significant digits of loads in status
_MOST_DIGITS = 13


def round_load(value: float) -> float:
    """Return a load with the digits that status shows."""
    return float(f"{value:.{DIGITS}g}")


def round_to_pods(load: float, per_pod: float, pods: int | None) -> float:
    """Return a load with as few digits as it takes for it to need `pods` of `per_pod` still."""
    found = (float(f"{load:.{digits}g}") for digits in range(DIGITS, _MOST_DIGITS))
    return next((each for each in found if count_pods(each, per_pod) == pods), load)


def show(value: float) -> str:
    """Return a number as people write it: without an exponent as long as it has no more than twelve digits."""
    return f"{value:.12g}"


def to_clock(epoch: float, *, seconds: bool = True) -> str:
    """Return a moment's time of day, UTC, with its seconds or without."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%H:%M:%S" if seconds else "%H:%M")
