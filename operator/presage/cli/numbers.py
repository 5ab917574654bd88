"""Numbers for a person: few digits, but as many as it takes to add up."""

from __future__ import annotations

import math
from datetime import UTC, datetime

_DIGITS, _MOST = 4, 12
_ROUNDING = 1e-9  # as in the decision


def number(value: float, digits: int = _DIGITS) -> str:
    """Return a number with so many significant digits, never in powers of ten."""
    rounded = float(f"{value:.{digits}g}")
    if rounded.is_integer():
        return f"{rounded:.0f}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:.{decimals}f}".rstrip("0").rstrip(".")


def share(value: float) -> str:
    """Return a share as percent."""
    return f"{number(100 * value, 2)} %"


def divide(load: float, per_pod: float, pods: int) -> tuple[str, str]:
    """Return load and quotient with as few digits as it takes for both to round up to `pods`."""
    for digits in range(_DIGITS, _MOST + 1):
        shown, quotient = number(load, digits), number(load / per_pod, digits)
        ups = (math.ceil(float(shown) / per_pod - _ROUNDING), math.ceil(float(quotient) - _ROUNDING))
        if ups == (pods, pods):
            break
    return shown, quotient


def clock(time: str) -> str:
    """Return the time of day of a moment in status, in UTC."""
    return f"{datetime.fromisoformat(time).astimezone(UTC):%H:%M:%S}"
