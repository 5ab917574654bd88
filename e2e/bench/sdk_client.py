"""Clients of the bench's server: requests at a fixed rate over connections that stay open."""

from __future__ import annotations

import argparse
import http.client
import sys
import threading
import time
from collections.abc import Sequence

from e2e.bench.sdk_load import CONNECTIONS, RATE, plan_request


def send(port: int, first: int, failed: threading.Event) -> None:
    """Send every n-th request for ever, on its turn."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    began, number = time.monotonic(), first
    try:
        while not failed.is_set():
            connection.request("GET", f"/event/{plan_request(number)}")
            connection.getresponse().read()
            number += CONNECTIONS
            time.sleep(max(0.0, began + number / RATE - time.monotonic()))
    finally:
        failed.set()


def main(argv: Sequence[str] | None = None) -> int:
    """Send until ended; return only if a request failed."""
    parser = argparse.ArgumentParser(prog="python -m e2e.bench.sdk_client", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, required=True, help="of the server")
    port, failed = parser.parse_args(argv).port, threading.Event()
    for first in range(CONNECTIONS):
        threading.Thread(target=send, args=(port, first, failed), daemon=True).start()
    failed.wait()
    return 1


if __name__ == "__main__":
    sys.exit(main())
