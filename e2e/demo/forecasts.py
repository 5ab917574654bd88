"""presage's forecast one lead time ahead, as its own metrics showed it at each moment."""

from __future__ import annotations

from e2e.demo.prometheus import Prometheus
from e2e.demo.record import ForecastSample


class ForecastLog:
    """Reads the operator's series back from Prometheus."""

    def __init__(self, prometheus: Prometheus) -> None:
        self._prometheus = prometheus

    def latest(self) -> tuple[float, float, float] | None:
        """Return (median, upper quantile, lead time in seconds) now; None before the first forecast."""
        return None

    def samples(self, start: float, end: float) -> tuple[ForecastSample, ...]:
        """Return the forecasts for the moments from ``start`` to ``end``, each made one lead time before."""
        return ()
