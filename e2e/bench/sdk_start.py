"""How long a function takes from the start of its process to the first event served, with and without presage.sdk."""

from __future__ import annotations

import socket
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from e2e.bench.sdk_documents import write_built_in
from e2e.bench.sdk_load import receiving, serving

PAIRS = 30
KINDS = "plain", "presage", "none"


@dataclass(frozen=True)
class Starts:
    """Milliseconds, medians over all pairs.

    Attributes:
        pairs: How many.
        added: Of presage.sdk with a file over the plain OpenTelemetry SDK with OTLP.
        over_nothing: Of presage.sdk over no telemetry.
        presage: From the start of the process to the answer.
        plain: Same.
    """

    pairs: int
    added: float
    over_nothing: float
    presage: float
    plain: float


def measure(pairs: int = PAIRS) -> Starts:
    """Start one of each kind by turns."""
    with tempfile.TemporaryDirectory() as folder, receiving() as receiver:
        document = Path(folder, "recording.jsonl")
        write_built_in(document, "Standard")
        environment = {
            "PRESAGE_PROFILE_FILE": str(document),
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{receiver.server_port}",
        }
        for kind in KINDS:
            start(kind, environment)  # bytecode is compiled, files are read
        rounds = [
            {kind: start(kind, environment) for kind in (KINDS if turn % 2 else KINDS[::-1])} for turn in range(pairs)
        ]
    return Starts(
        pairs,
        added=statistics.median(each["presage"] - each["plain"] for each in rounds),
        over_nothing=statistics.median(each["presage"] - each["none"] for each in rounds),
        presage=statistics.median(each["presage"] for each in rounds),
        plain=statistics.median(each["plain"] for each in rounds),
    )


def start(kind: str, environment: dict[str, str]) -> float:
    """Start a function; return milliseconds until it has answered its first event."""
    argv = [sys.executable, "-P", str(Path(__file__).with_name("sdk_first.py")), kind]
    began = time.perf_counter()
    with serving(argv, environment) as port, socket.create_connection(("127.0.0.1", port), 60) as sent:
        sent.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n")
        if not sent.recv(4096).startswith(b"HTTP/1.1 200"):
            raise ValueError("the function did not answer")
        return (time.perf_counter() - began) * 1000
