"""A single server with a fixed service rate and a bounded queue, as arithmetic on finish times (pure)."""

from __future__ import annotations


class WorkQueue:
    """Gives each arrival the time at which it will be served, or refuses it.

    Service takes ``1 / capacity`` seconds each, one after the other in order of arrival. An arrival that would
    finish more than ``bound_seconds`` after it came is refused, so that the queue never holds more work.
    Finish times never decrease and lie at least one service time apart.

    Attributes:
        service_seconds: What each takes once it is its turn.
    """

    def __init__(self, capacity: float, bound_seconds: float) -> None:
        """Make an empty queue.

        Args:
            capacity: requests served a second, > 0.
            bound_seconds: the most seconds from arrival to finish, at least one service time.

        Raises:
            ValueError: a bound under one service time, or a capacity that is not positive.
        """
        if not capacity > 0:
            raise ValueError(f"capacity must be positive, got {capacity}")
        if bound_seconds < 1 / capacity:
            raise ValueError(f"a queue of {bound_seconds} s is shorter than one request of {1 / capacity:.3f} s")
        self.service_seconds = 1 / capacity
        self._bound_seconds = bound_seconds
        self._free_at = float("-inf")

    def admit(self, now: float) -> float | None:
        """Return the time at which a request arriving at ``now`` is served, or None where it is refused."""
        finish = max(now, self._free_at) + self.service_seconds
        if finish - now > self._bound_seconds + 1e-9:
            return None
        self._free_at = finish
        return finish
