"""What can be a load."""

from __future__ import annotations

import math

import pytest

from presage.core.source_reading import LARGEST_LOAD, find_flaw


@pytest.mark.parametrize(
    ("value", "flaw"),
    [
        (0.0, ""),
        (-0.0, ""),
        (LARGEST_LOAD, ""),
        (-1e-300, "Negative"),
        (-math.inf, "Negative"),
        (1e308, "TooLarge"),
        (math.inf, "TooLarge"),
        (math.nan, "NotANumber"),
    ],
)
def test_flaws(value: float, flaw: str) -> None:
    assert find_flaw(value) == flaw
