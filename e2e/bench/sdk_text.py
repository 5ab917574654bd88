"""How much text Prometheus gets of a function under a built-in profile, once every attribute set was met."""

from __future__ import annotations

import tempfile
from pathlib import Path

from e2e.bench.sdk_documents import EVENT, write_built_in
from e2e.bench.sdk_server import FAILS, Function
from presage.sdk import Telemetry


def measure(profile: str) -> int:
    """Return the bytes of one scrape."""
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder, "recording.jsonl")
        write_built_in(document, profile)
        telemetry = Telemetry(str(document), prometheus=True, seed=1)
        function = Function(telemetry.event(EVENT))
        for number in range(20 * FAILS):
            function.serve(number % (2 * FAILS))
        size = len(telemetry.render_prometheus())
        telemetry.shutdown()
    return size
