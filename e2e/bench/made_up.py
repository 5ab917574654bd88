"""Loads that are made up, for figures of cost: 21 days at 5 minutes, with days, weeks and noise."""

from __future__ import annotations

import numpy as np

DAYS, STEP_S, HORIZON_S = 21, 300, 3_600


def make_load(random: np.random.Generator, slots: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Return a load (slots,) with a day, a week, noise of some memory, and a hole."""
    day, week = (np.arange(slots) * STEP_S / period * 2 * np.pi for period in (86_400, 604_800))
    noise = np.convolve(random.standard_normal(slots + 11), np.full(12, 1 / 12), "valid")
    shape = 3 + np.cos(day + random.uniform(0, 6)) + 0.4 * np.cos(week + random.uniform(0, 6)) + 0.5 * noise
    load = np.clip(shape * random.lognormal(3, 1), 0, None).astype(np.float32)
    hole = int(random.integers(0, slots - 40))
    load[hole : hole + int(random.integers(0, 40))] = np.nan
    return load
