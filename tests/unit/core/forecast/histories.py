"""Made-up histories for forecaster tests; seeded, so that equal calls give equal arrays."""

from __future__ import annotations

import numpy as np

from presage.core.forecast.types import FloatArray

STEP = 300
DAY = 288


def daily(days: float, *, noise: float = 0.0, seed: int = 0, day: int = DAY) -> FloatArray:
    """A load of 100 with a daily wave of 50."""
    slots = np.arange(round(days * day))
    wave = 100 - 50 * np.cos(2 * np.pi * slots / day)
    return wave + np.random.default_rng(seed).normal(0, 1, len(slots)) * noise


def office(days: int, *, start_weekday: int = 0, noise: float = 0.0, seed: int = 0) -> FloatArray:
    """Busy from 8 to 18 on five days of seven, else a tenth of it."""
    slots = np.arange(days * DAY)
    hour = slots % DAY / 12
    weekday = (slots // DAY + start_weekday) % 7
    load = np.where((hour >= 8) & (hour < 18) & (weekday < 5), 100.0, 10.0)
    return load + np.random.default_rng(seed).normal(0, 1, len(slots)) * noise
