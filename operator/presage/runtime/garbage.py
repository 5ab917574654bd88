"""How the interpreter's cyclic collector is set in the operator's process."""

from __future__ import annotations

import gc


def spare_collections() -> None:
    """Keep the cyclic collector from going through all there is at each large answer, with every thread stopped.

    What imports made is never garbage, and an answer's lists are no cycles.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
