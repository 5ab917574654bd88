"""The one public entry of the forecaster."""

from __future__ import annotations

from presage.core.forecast.state import State
from presage.core.forecast.types import Forecast, Series

__all__ = ["Forecast", "Series", "State"]
