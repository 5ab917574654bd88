"""Threads that get in each other's way as often as CPython lets them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable


def run_together(*works: Callable[[], None]) -> None:
    """Run all, each in a thread of its own, while CPython would switch every microsecond."""
    before = sys.getswitchinterval()
    threads = [threading.Thread(target=work) for work in works]
    sys.setswitchinterval(1e-6)
    try:
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    finally:
        sys.setswitchinterval(before)
