"""A bounded store of things made on demand and forgotten when nobody asks for them."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class RecentlyUsed(Generic[K, V]):
    """Values by key. Time is the monotonic clock, so that a clock set anew forgets nothing.

    Args:
        make: Makes the value of a key that is not held.
        life_s: Seconds after its last use that a value is forgotten; seen at the next use of any key.
        most: Values held at most; past it the one unused longest is forgotten.
        forget: Told of each value that is forgotten.
    """

    def __init__(
        self,
        make: Callable[[K], V],
        *,
        life_s: float,
        most: float = math.inf,
        forget: Callable[[V], None] = lambda value: None,
    ) -> None:
        self._make = make
        self._life_s = life_s
        self._most = most
        self._forget = forget
        self._held: OrderedDict[K, tuple[V, float]] = OrderedDict()  # the one unused longest first

    def get(self, key: K) -> V:
        """Return the value of `key`, made now if it is not held."""
        known = self._held.pop(key, None)
        value = known[0] if known else self._make(key)
        now = time.monotonic()
        self._held[key] = (value, now)
        while self._is_first_due(now):
            self._forget(self._held.popitem(last=False)[1][0])
        return value

    def forget_oldest(self) -> bool:
        """Forget the value unused longest, but never the last one; return whether there was one."""
        if len(self._held) < 2:
            return False
        self._forget(self._held.popitem(last=False)[1][0])
        return True

    def __len__(self) -> int:
        """Return how many values are held."""
        return len(self._held)

    def __iter__(self) -> Iterator[V]:
        """Iterate over the values held."""
        return (value for value, _ in self._held.values())

    def _is_first_due(self, now: float) -> bool:
        used_at = next(iter(self._held.values()))[1]
        return len(self._held) > self._most or now - used_at > self._life_s
