"""A figure beside what it must and what it should be; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """What is asked of a figure; both ends belong to it."""

    least: float = -math.inf
    most: float = math.inf

    def __contains__(self, value: float) -> bool:
        return self.least <= value <= self.most  # NaN is in no bounds

    def render(self, form: str) -> str:
        """Return the bounds as text."""
        if self.least == -math.inf:
            return f"≤ {show(self.most, form)}"
        if self.most == math.inf:
            return f"≥ {show(self.least, form)}"
        return f"{show(self.least, form)}–{show(self.most, form)}"


@dataclass(frozen=True)
class Judged:
    """One row of the table.

    Attributes:
        name: What was measured.
        value: The result.
        must: Bounds that it has to keep; None where none are set.
        aim: Bounds that it should keep; None where none are set.
        note: What it rests on.
        form: How it is written: a number's format, or "1/" for a share such as 1/130.
        unit: Its unit.
    """

    name: str
    value: float
    must: Bounds | None = None
    aim: Bounds | None = None
    note: str = ""
    form: str = ".4f"
    unit: str = ""

    @property
    def verdict(self) -> str:
        """Return `pass` or `falls short` by the must, `-` where there is none."""
        return "-" if self.must is None else "pass" if self.value in self.must else "falls short"

    @property
    def aim_verdict(self) -> str:
        """Return `reached` or `not reached` by the aim, `-` where there is none."""
        return "-" if self.aim is None else "reached" if self.value in self.aim else "not reached"


def at_most(value: float | None) -> Bounds | None:
    """Return the bounds of a figure that may not exceed this value; None for None."""
    return None if value is None else Bounds(most=value)


def show(value: float, form: str) -> str:
    """Return a number in the form that its row asks for."""
    if form != "1/":
        return format(value, form)
    return f"1/{1 / value:.0f}" if value > 0 else str(value)
