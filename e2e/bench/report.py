"""Figures as a table for people and as JSON for programs."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from e2e.bench.page import align


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        name: What was measured.
        objects: With how many MetricProfiles.
        value: The result.
        unit: Its unit.
        most: What it must not exceed; None where nothing is asked.
        note: What it rests on.
    """

    name: str
    objects: int
    value: float
    unit: str
    most: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Return `pass`, `falls short`, or `-` where nothing is asked."""
        if self.most is None:
            return "-"
        return "pass" if self.value <= self.most else "falls short"  # NaN falls short


def quantile(values: Sequence[float], level: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(level * len(ordered)) - 1)] if ordered else float("nan")


def describe_machine() -> str:
    """Return cores and load averages: a figure is worth what the machine was free to give."""
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return f"{os.cpu_count()} cores, load average {load} (1, 5, 15 min)"


def render_table(figures: Sequence[Figure], machine: Sequence[str]) -> str:
    """Return figures and machine as text."""
    rows = [("figure", "objects", "value", "must", "verdict", "note")]
    for each in figures:
        must = "" if each.most is None else f"<= {each.most:g}"
        rows.append((each.name, str(each.objects), f"{each.value:.3g} {each.unit}", must, each.verdict, each.note))
    return "\n".join([*align(rows), "", *(f"machine {line}" for line in machine)])


def build_document(figures: Sequence[Figure], machine: Sequence[str]) -> dict[str, Any]:
    """Return figures and machine as JSON."""
    rows = [
        {
            "name": each.name,
            "objects": each.objects,
            "value": None if math.isnan(each.value) else each.value,
            "unit": each.unit,
            "most": each.most,
            "verdict": each.verdict,
            "note": each.note,
        }
        for each in figures
    ]
    return {"schemaVersion": 1, "figures": rows, "machine": list(machine)}
