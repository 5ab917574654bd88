"""How far the load has lately outrun what replicas were asked for: the margin that the reactive part keeps.

A rise that no forecast and no headroom foresaw tends to go on while new pods start. So the load observed now is
compared with the load that replicas were asked for one lead time ago, and the share by which it is higher is kept in
hand for a while. A load that stays within what was prepared for costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST = 1.0  # of the observed load; what more than doubles within a lead time is no trend to go by


@dataclass(frozen=True, slots=True)
class Surprises:
    """Loads prepared for, and by how much they were exceeded; empty after a restart.

    Attributes:
        prepared: (epoch s, load) that replicas were asked for, oldest first, back to one lead time ago.
        seen: (epoch s, share) by which the load exceeded it, of those not yet forgotten.
    """

    prepared: tuple[tuple[float, float], ...] = ()
    seen: tuple[tuple[float, float], ...] = ()

    @property
    def margin(self) -> float:
        """Highest share not yet forgotten, 0 without any."""
        return max((share for _, share in self.seen), default=0.0)


def compare(known: Surprises, observed: float, now: float, *, lead_s: float, keep_s: float, gap_s: float) -> Surprises:
    """Return the surprises after a look at the load.

    Args:
        known: From the previous decision.
        observed: Load now, fresh and complete.
        now: Epoch seconds.
        lead_s: Seconds from asking for a replica until it is ready.
        keep_s: Seconds for which a surprise is remembered.
        gap_s: What was prepared for longer than this before the lead time says nothing about now.
    """
    asked = [load for at, load in known.prepared if now - lead_s - gap_s <= at <= now - lead_s]
    seen = tuple(each for each in known.seen if each[0] > now - keep_s)
    if asked and observed > asked[-1]:
        excess = observed - asked[-1]
        seen = (*seen, (now, MOST if excess >= MOST * asked[-1] else excess / asked[-1]))
    return Surprises(tuple(each for each in known.prepared if each[0] >= now - lead_s - gap_s), seen)


def prepare(known: Surprises, load: float, now: float) -> Surprises:
    """Return the surprises after replicas were asked for on account of `load`."""
    return Surprises((*known.prepared, (now, load)), known.seen)
