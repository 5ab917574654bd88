"""A proxy before the real Prometheus: it passes answers through, or alters them as a real, broken source would.

Each case has a path of its own, so that many cases run side by side: a MetricSource with the url `…/<case>`.
"""

from __future__ import annotations

import contextlib
import gzip
import http.server
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Answer:
    """One answer on its way: what the real server said, to be changed in place.

    Attributes:
        status: HTTP status.
        body: As sent.
        headers: Besides the length.
        cut_off: The connection breaks in mid-body.
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    cut_off: bool = False


Alter = Callable[[str, Answer], None]
"""Changes an answer in place; the first argument is what was asked: `query`, `query_range`, `metadata` or `probe`."""


class AlteringProxy:
    """Listens on loopback; alters the answers of those cases that are switched on."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._alter: dict[str, Alter] = {}
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with contextlib.suppress(OSError):  # who asked has given up
                    proxy.pass_on(self, None)

            def do_POST(self) -> None:
                with contextlib.suppress(OSError):
                    proxy.pass_on(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, case: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{case}"

    def alter(self, case: str, how: Alter) -> None:
        self._alter[case] = how

    def mend(self, case: str) -> None:
        self._alter.pop(case, None)

    def pass_on(self, handler: http.server.BaseHTTPRequestHandler, form: bytes | None) -> None:
        _, case, path = handler.path.split("/", 2)
        request = urllib.request.Request(f"{self._target}/{path}", data=form)  # noqa: S310  # loopback
        try:
            with urllib.request.urlopen(request, timeout=10) as found:  # noqa: S310  # loopback
                answer = Answer(found.status, found.read())
        except urllib.error.HTTPError as refused:
            answer = Answer(refused.code, refused.read())
        if how := self._alter.get(case):
            how(_what(f"{path}?{form.decode()}" if form else path), answer)
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body[: len(answer.body) // 2] if answer.cut_off else answer.body)
        if answer.cut_off:
            handler.close_connection = True


def _what(path: str) -> str:
    asked = urlsplit(path)
    last = asked.path.rsplit("/", 1)[-1]
    return "probe" if parse_qs(asked.query).get("query") == ["vector(1)"] else last


def on_tick(change: Callable[[list[dict[str, Any]]], None]) -> Alter:
    """Change the entries of each answer to a tick query, in place."""
    return on("query", change)


def on(what: str, change: Callable[[list[dict[str, Any]]], None]) -> Alter:
    """Change the entries of each answer of one sort, in place."""

    def alter(asked: str, answer: Answer) -> None:
        if asked == what:
            content = json.loads(answer.body)
            change(content["data"]["result"])
            answer.body = json.dumps(content).encode()

    return alter


def set_part(part: str, value: Callable[[float], object]) -> Alter:
    """Put another value in the place of one part of a tick answer; the function is given the real one."""

    def change(entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            if entry["metric"].get("presage") == part:
                entry["value"][1] = value(float(entry["value"][1]))

    return on_tick(change)


def set_load(value: object) -> Alter:
    return set_part("load", lambda _: value)


def set_status(status: int, **headers: str) -> Alter:
    """Answer everything with another status."""

    def alter(_: str, answer: Answer) -> None:
        answer.status = status
        answer.headers |= headers

    return alter


def set_body(body: Callable[[bytes], bytes], **headers: str) -> Alter:
    """Answer every query with another body."""

    def alter(_: str, answer: Answer) -> None:
        answer.body = body(answer.body)
        answer.headers |= headers

    return alter


def slowly(seconds: float) -> Alter:
    return lambda _asked, _answer: time.sleep(seconds)


def cut_off(_: str, answer: Answer) -> None:
    answer.cut_off = True


def bomb(size: int) -> Alter:
    """Answer with some kilobytes that unpack to `size` bytes."""
    packed = gzip.compress(b" " * size)
    return set_body(lambda _: packed, **{"Content-Encoding": "gzip"})


def twice(entries: list[dict[str, Any]]) -> None:
    """Say the load twice, with two values."""
    for entry in [e for e in entries if e["metric"].get("presage") == "load"]:
        entries.append({"metric": entry["metric"], "value": [entry["value"][0], "1"]})


def lengthen_labels(entries: list[dict[str, Any]]) -> None:
    """Put names of 253 and of 65,536 characters on the targets."""
    for entry in entries:
        if entry["metric"].get("presage") == "target":
            entry["metric"] |= {"pod": "p" * 253, "instance": "i" * 2**16}


def disorder(entries: list[dict[str, Any]]) -> None:
    """Repeat samples, turn them round, and add some of the future, of before the epoch and of nonsense."""
    for entry in entries:
        samples = entry["values"]
        newest = samples[-1][0]
        strange = [[newest + 86_400, "7"], [-5, "7"], [newest, "NaN"], [newest, "-3"], [newest, "1e308"]]
        entry["values"] = [*reversed(samples), *samples[:3], *strange]
