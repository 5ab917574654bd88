from __future__ import annotations

import http.server
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from e2e.faults.proxy import EmptyingProxy
from e2e.waiting import eventually

ANSWER = {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "2"]}]}}


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(ANSWER).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    found = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield found
    found.shutdown()
    found.server_close()


@pytest.fixture
def proxy(server: http.server.ThreadingHTTPServer) -> Iterator[EmptyingProxy]:
    found = EmptyingProxy("127.0.0.1", 0, f"http://127.0.0.1:{server.server_port}")
    yield found
    found.stop()


def ask(url: str) -> object:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own address
        return json.load(answer)


def test_answers_pass_as_they_are(proxy: EmptyingProxy) -> None:
    assert ask(f"{proxy.url}/api/v1/query?query=up") == ANSWER
    with pytest.raises(urllib.error.HTTPError, match="404") as refused:
        ask(f"{proxy.url}/missing")
    refused.value.close()
    assert proxy.emptied == 0


def test_results_are_taken_out_of_queries_only(proxy: EmptyingProxy) -> None:
    proxy.empty = True
    empty = {"status": "success", "data": {"resultType": "vector", "result": []}}
    assert ask(f"{proxy.url}/api/v1/query?query=up") == empty
    assert ask(f"{proxy.url}/api/v1/status/buildinfo") == ANSWER
    assert proxy.emptied == 1


def test_a_server_that_is_gone_is_a_connection_that_ends(
    proxy: EmptyingProxy, server: http.server.ThreadingHTTPServer
) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(OSError, match=r"closed|reset"):
        ask(f"{proxy.url}/api/v1/query?query=up")


def test_a_failure_tells_what_was_seen_last() -> None:
    seen = iter((1, 2, 3))
    assert eventually(lambda: next(seen), lambda n: n == 2, 5, "two", each_s=0) == 2
    with pytest.raises(AssertionError, match=r"five: not within 0 s; last seen: 3"):
        eventually(lambda: next(seen), lambda n: n == 5, 0, "five")
