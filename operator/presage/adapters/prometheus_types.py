"""Which type a metric has by the source's own account, asked rarely: a gauge taken for a counter has no rate.

Only what says of itself that it is a gauge is refused. Not every source keeps metadata, and the samples of a histogram
have it under another name: no answer is no fault.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from presage.adapters.recently_used import RecentlyUsed

_REMEMBER_S = 600.0
_REMEMBER_GAUGE_S = 15.0  # so that a metric put right is believed soon
_MAX_METRICS = 5_000


@dataclass(slots=True)
class _Known:
    is_gauge: bool = False
    until: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class MetricTypes:
    """Remembers the answers of one source.

    Args:
        ask: Returns whether the source calls a metric a gauge; False where it does not tell.
    """

    def __init__(self, ask: Callable[[str], Awaitable[bool]]) -> None:
        self._ask = ask
        self._known: RecentlyUsed[str, _Known] = RecentlyUsed(lambda _: _Known(), life_s=_REMEMBER_S, most=_MAX_METRICS)

    async def is_gauge(self, metric: str) -> bool:
        """Return whether the source calls `metric` a gauge."""
        known = self._known.get(metric)
        async with known.lock:
            if time.monotonic() >= known.until:
                known.is_gauge = await self._ask(metric)
                known.until = time.monotonic() + (_REMEMBER_GAUGE_S if known.is_gauge else _REMEMBER_S)
            return known.is_gauge
