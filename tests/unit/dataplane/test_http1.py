from __future__ import annotations

import pytest

from presage.dataplane.demo.http1 import build_response, parse_target

CASES: dict[str, tuple[bytes, str | int]] = {
    "plain": (b"GET /order HTTP/1.1\r\nHost: a\r\n\r\n", "/order"),
    "query is cut": (b"GET /order?x=1 HTTP/1.1\r\n\r\n", "/order"),
    "other method": (b"POST /order HTTP/1.1\r\n\r\n", 405),
    "no version": (b"GET /order\r\n\r\n", 400),
    "not HTTP": (b"\x16\x03\x01\r\n\r\n", 400),
}


@pytest.mark.parametrize(("head", "want"), CASES.values(), ids=CASES.keys())
def test_parse_target(head: bytes, want: str | int) -> None:
    assert parse_target(head) == want


def test_a_response_states_its_length_and_closes() -> None:
    head, body = build_response(503, "queue full\n").split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 Service Unavailable")
    assert b"Content-Length: 11" in head
    assert b"Connection: close" in head
    assert body == b"queue full\n"
