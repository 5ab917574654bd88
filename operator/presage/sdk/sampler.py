"""Random-in-block sampling: of each block of N events, one at a random position is kept.

A counter modulo N keeps the same event of each block; on periodic work it sees one phase of the period only. Here the
position is drawn anew for each block, so every event has the same chance, 1 / N, whatever the period.

The algorithm is small on purpose: other languages implement it again, and check themselves against the test vectors.

1. Generator: splitmix64, one 64-bit state. `next`: state += 0x9E3779B97F4A7C15; z = state;
   z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9; z = (z ^ (z >> 27)) * 0x94D049BB133111EB; return z ^ (z >> 31);
   all modulo 2^64.
2. Uniform number: u = (next >> 11) / 2^53, in [0, 1), exact in a double.
3. Position in a block of N events, counted from 0: floor(u * N), one draw for each block, by its first event.
4. Seed of a metric: the first 8 bytes, big-endian, of SHA-256 over the UTF-8 text `seed/event type/metric`.
5. A change of N drops what is left of the block and begins a new one; the generator goes on.

For speed the code draws for the next block when the event of this one was kept; a change of N takes such a draw back.

Source of splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
"""

from __future__ import annotations

import hashlib
import threading

_MASK = 0xFFFFFFFFFFFFFFFF
_GAMMA = 0x9E3779B97F4A7C15


def splitmix64(state: int) -> tuple[int, int]:
    """Return the next state of the generator and its output, both of 64 bits."""
    state = (state + _GAMMA) & _MASK
    z = state
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return state, z ^ (z >> 31)


def derive_seed(seed: int, event_type: str, metric: str) -> int:
    """Return the generator's first state for one metric of an instance whose seed is `seed`."""
    text = f"{seed}/{event_type}/{metric}".encode(errors="replace")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


class BlockSampler:
    """Which events of a stream are kept.

    Attributes:
        every: N, the length of a block.
        left: Events up to and with the next one kept. The hot path counts it down by itself and calls `draw` at zero
            or below: this attribute is the whole cost of an event that is left out.
    """

    __slots__ = ("_before", "_lock", "_position", "_state", "every", "left")

    def __init__(self, every: int, seed: int) -> None:
        """Args: every: N, 1 or more; seed: the generator's first state, 64 bits."""
        self.every = every
        self._lock = threading.Lock()
        self._state = self._before = seed & _MASK
        self._position = self._next_position()
        self.left = self._position + 1

    def resume(self, every: int) -> BlockSampler:
        """Return a sampler that begins a new block of `every` events with the generator where this one has it."""
        drawn_ahead = self.left > self._position
        return BlockSampler(every, self._before if drawn_ahead else self._state)

    def keep(self) -> bool:
        """Return whether the next event is kept."""
        left = self.left - 1
        self.left = left
        return left <= 0 and self.draw()

    def draw(self) -> bool:
        """Go to the next block once `left` fell to zero; whether the event that saw that is the one kept.

        Of several threads that meet the end of a block together the first one here keeps its event. Those that were
        counted meanwhile belong to the next block, or to the one after: then the next event draws again, so that each
        block keeps one however long a thread is held up here.
        """
        with self._lock:
            if self.left > 0:
                return False
            before = self.every - 1 - self._position
            self._position = self._next_position()
            self.left += before + self._position + 1
            return True

    def _next_position(self) -> int:
        self._before = self._state
        self._state, output = splitmix64(self._state)
        return int((output >> 11) * 2.0**-53 * self.every)
