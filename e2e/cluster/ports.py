"""Free TCP ports for the parts of a cluster, chosen once and then kept.

They lie below both the node-port range of Kubernetes and the range Linux takes outgoing ports from, so that a part
finds its port free again when it is started anew. Two clusters that start at the same moment never choose the same
ones: each candidate is claimed by an abstract unix socket, which the kernel gives to one process only and takes back
when that ends.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import ExitStack, contextmanager

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


@contextmanager
def held(names: Sequence[str], first: int, taken: Container[int] = ()) -> Iterator[dict[str, int]]:
    """Give a free port for every name, and keep other clusters off them until the block ends.

    Within the block the ports are to be listened on; from then on they are seen to be in use.

    Args:
        names: Purposes.
        first: Port to begin at.
        taken: Ports of clusters that are up though one of their parts may have ended.

    Raises:
        OSError: There are not enough free ports.
    """
    with ExitStack() as claims:
        yield choose(names, first, lambda port: port not in taken and _claim(port, claims))


def _claim(port: int, claims: ExitStack) -> bool:
    """Claim a port and then look whether it is free: the other way round another could take it in between."""
    claim = claims.enter_context(socket.socket(socket.AF_UNIX))
    try:
        claim.bind(f"\0presage-port-{port}")
    except OSError:
        return False
    if is_free(port):
        return True
    claim.close()
    return False
