"""What keeps the process from its work: shown on /readyz, and logged once each time it changes.

The parts say what their trouble is and log nothing themselves, however often they try again. They are asked in an
order, since one cause has many effects: a missing right also breaks lists and watches. The first trouble is the one
that is told.
"""

from __future__ import annotations

import asyncio

import structlog

from presage.runtime.http import Check

log = structlog.get_logger()

_LOOK_S = 0.5
_SETTLED = 8  # looks that a trouble must last: a dropped connection is daily business, and effects outlast a cause


class Troubles:
    """Asks the parts, the most telling first."""

    def __init__(self, *checks: Check) -> None:
        self._checks = checks

    def find(self) -> str | None:
        """Return the first trouble, or None."""
        return next((trouble for check in self._checks if (trouble := check())), None)

    async def tell(self) -> None:
        """Log changes, forever."""
        told: str | None = None
        seen: str | None = None
        looks = 0
        while True:
            now = self.find()
            looks = looks + 1 if now == seen else 1
            seen = now
            if now != told and (looks >= _SETTLED or now is None):
                if now is None:
                    log.info("trouble.over")
                else:
                    log.error("trouble", trouble=now)
                told = now
            await asyncio.sleep(_LOOK_S)
