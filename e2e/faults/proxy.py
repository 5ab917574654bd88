"""A proxy before the real Prometheus that can take the results out of its answers."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_TIMEOUT_SECONDS = 10
_QUERIES = ("/api/v1/query", "/api/v1/query_range")


def take_results_out(answer: bytes) -> bytes:
    """Return an answer of the query API as a server gives it that knows no such series."""
    document = json.loads(answer)
    document["data"]["result"] = []
    return json.dumps(document).encode()


class EmptyingProxy:
    """Passes GET requests on; while ``empty``, answers to queries come back without results.

    A server that does not answer is shown as what it is: the connection is cut.
    """

    def __init__(self, host: str, port: int, target: str) -> None:
        """Args: host, port: where it listens; target: URL of the real server."""
        self.empty = False
        self.emptied = 0
        self._target = target
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                proxy.pass_on(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer((host, port), Handler)
        self.url = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def pass_on(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request with what the real server answers, emptied if that is asked for."""
        try:
            status, kind, answer = self._ask(request.path)
        except OSError:
            request.close_connection = True
            return
        if self.empty and status == 200 and request.path.partition("?")[0] in _QUERIES:
            answer = take_results_out(answer)
            self.emptied += 1
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)

    def _ask(self, path: str) -> tuple[int, str, bytes]:
        try:
            with urllib.request.urlopen(f"{self._target}{path}", timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
                return answer.status, answer.headers.get_content_type(), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers.get_content_type(), error.read()

    def stop(self) -> None:
        """End it and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
