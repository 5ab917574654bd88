"""The real worker, but for fits of series that start at one of these seconds: those go wrong in their own way."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from presage.adapters import forecast_worker
from presage.core.forecast.api import Forecast, Series, forecast_one

SLEEPS, SPINS, EATS, EXITS, RAISES, CHATTERS = (float(second) for second in range(1, 7))
HUNGER = 2**31  # bytes


def fit(series: Series, *args: Any, **kwargs: Any) -> Forecast:
    if series.start == SLEEPS:
        time.sleep(60)
    while series.start == SPINS:
        pass
    if series.start == EATS:
        np.ones(HUNGER // 8)
    if series.start == EXITS:
        os._exit(3)
    if series.start == RAISES:
        raise ZeroDivisionError("as asked")
    if series.start == CHATTERS:
        print("no pickle, this")
    return forecast_one(series, *args, **kwargs)


if __name__ == "__main__":
    forecast_worker.forecast_one = fit  # type: ignore[attr-defined]
    forecast_worker.main()
