"""Real load traces as raw samples; where they are absent, made-up ones of the same kind."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from presage.core.forecast.types import FloatArray

ROOT = Path(__file__).resolve().parents[4]
DEFAULT_FOLDER = "../shared/traces"
START = 19_675 * 86_400  # a midnight


@cache
def read_trace(name: str) -> tuple[FloatArray, FloatArray]:
    """Epoch seconds and values of the samples of a trace in ``PRESAGE_TRACES``, or of a made-up stand-in."""
    path = ROOT / os.environ.get("PRESAGE_TRACES", DEFAULT_FOLDER) / f"{name}.csv"
    if path.is_file():
        times, values = np.loadtxt(path, delimiter=",", skiprows=1).T
        return times, values
    print(f"no {path}: a made-up load of its kind is used instead")
    return MADE_UP[name]()


def _counter() -> tuple[FloatArray, FloatArray]:
    times = START + 55.0 + 60 * np.arange(3 * 1440)
    gained = np.where(np.arange(len(times)) % 1900 == 1000, 3.0, 2.0)
    return times, 31_000 + np.cumsum(gained)


def _irregular() -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(0)
    times = START + 300.0 * np.cumsum(rng.choice([1, 2, 3], 2700))
    day = np.sin(2 * np.pi * times / 86_400 - 2)
    values = np.maximum(8 + 6 * day + rng.gamma(2, 1.0, len(times)) - 2, 0)
    hole = (times > START + 4 * 86_400) & (times < START + 7.5 * 86_400)
    return times[~hole], values[~hole]


def _sparse() -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(6)
    times = START + 300.0 * np.arange(55 * 288)
    mean = 0.36 * (1 + 0.8 * np.sin(2 * np.pi * times / 86_400))
    return times, rng.negative_binomial(0.35, 0.35 / (0.35 + mean)).astype(float)


def _switched_on() -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(7)
    times = START + 60.0 * np.arange(15 * 1440)
    on = times >= START + 5.28 * 86_400
    values = np.where(on, 0.33 + rng.gamma(0.3, 0.2, len(times)), 0.004 + rng.gamma(1, 0.0003, len(times)))
    return times, values


MADE_UP: dict[str, Callable[[], tuple[FloatArray, FloatArray]]] = {
    "prom_counter_raw": _counter,
    "road_occupancy": _irregular,
    "tweets_cvs": _sparse,
    "svc_cold_start": _switched_on,
}
