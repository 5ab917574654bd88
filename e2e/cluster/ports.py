"""Free TCP ports for the parts of a cluster, chosen once and then kept.

They lie below both the node-port range of Kubernetes and the range Linux takes outgoing ports from, so that a part
finds its port free again when it is started anew.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

FIRST = {"full": 16440, "control": 16540}
"""Where each shape begins to look."""
_LAST = 29999


def is_free(port: int) -> bool:
    """Tell whether nobody listens on a TCP port, on any address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def choose(names: Sequence[str], first: int, free: Callable[[int], bool] = is_free) -> dict[str, int]:
    """Return a free port for every name, upwards from `first`.

    Raises:
        OSError: There are not enough free ports.
    """
    chosen: dict[str, int] = {}
    port = first
    for name in names:
        while not free(port):
            port += 1
        if port > _LAST:
            raise OSError(f"no free port from {first} to {_LAST}")
        chosen[name] = port
        port += 1
    return chosen
