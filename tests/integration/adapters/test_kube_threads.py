"""Connections that many threads open at once: what goes wrong there ends the process, so a child process tries it."""

from __future__ import annotations

import subprocess
import sys

from e2e.cluster import Cluster

CROWD = """
import sys, threading, time
from presage.adapters.kube_config import load_configuration
from presage.adapters.kube_transport import Limits, Transport

transport = Transport(load_configuration(None, pool_size=1))
# closed after every answer, so that each request opens a connection of its own
answered, end = [], time.monotonic() + 4

def ask():
    while time.monotonic() < end:
        answered.append(transport.request("GET", "/version", Limits(5, 5))["major"])
        transport.close()

threads = [threading.Thread(target=ask) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit(0 if len(answered) > 100 else 3)
"""


def test_many_threads_connect_with_a_client_certificate(cluster: Cluster) -> None:
    environment = {"KUBECONFIG": str(cluster.kubeconfig)}
    done = subprocess.run(
        [sys.executable, "-c", CROWD], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
