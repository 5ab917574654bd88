"""CPU time of `advance` in a batch; runs in the scorer's environment and prints one JSON object.

The series are made as the scorer makes those of its speed test: scaled copies of the five-minute traces, 21 days each.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from presage.core.forecast.api import Series, State, advance, forecast_many

STEP_S, DAYS, TICKS = 300, 21, 5
HORIZONS = {"day": 288, "hour": 12}
Values = npt.NDArray[np.float64]


def main() -> None:
    """Print CPU milliseconds per series of one tick, median over some ticks, for each horizon."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scorer", type=Path)
    parser.add_argument("traces", type=Path)
    parser.add_argument("--series", type=int, default=1000)
    options = parser.parse_args()
    pool, rng = _histories(options.scorer, options.traces), np.random.default_rng(0)
    chosen = [pool[i % len(pool)] for i in range(options.series)]
    values = [each * rng.uniform(0.5, 2) for each, _ in chosen]
    old = [Series(v[:-TICKS], start, STEP_S) for v, (_, start) in zip(values, chosen, strict=True)]
    states = [forecast.state for forecast in forecast_many(old, HORIZONS["day"])]
    print(json.dumps({name: _time_ticks(states, values, horizon) for name, horizon in HORIZONS.items()}))


def _histories(scorer: Path, traces: Path) -> list[tuple[Values, float]]:
    spec = importlib.util.spec_from_file_location("forecast_eval", scorer)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    slots, found = DAYS * 86400 // STEP_S, []
    for name, meta in json.loads((traces / "manifest.json").read_text()).items():
        if meta.get("scored", True) and meta["eval_step"] == STEP_S:
            start, step, values = module.load(str(traces), name, meta)
            found.append((values[-slots:], start + max(0, len(values) - slots) * step))
    return found


def _time_ticks(states: list[State], values: list[Values], horizon: int) -> float:
    """Return CPU milliseconds per series: each tick brings one new slot, the first is not counted."""
    took = []
    for tick in range(TICKS):
        at = tick - TICKS
        newest = [v[at:][:1] for v in values]
        began = time.process_time()
        states = [forecast.state for forecast in advance(states, newest, horizon)]
        took.append((time.process_time() - began) / len(states) * 1e3)
    return statistics.median(took[1:])


if __name__ == "__main__":
    main()
