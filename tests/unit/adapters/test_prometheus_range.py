"""A query of the user's own: what it gives, and what each failure says to the person who wrote it."""

from __future__ import annotations

import base64
import json
import math
import urllib.parse
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from presage.adapters.prometheus_range import Access, check_url, read_range
from presage.adapters.prometheus_session import QueryFault
from presage.core.faults import SourceFault
from presage.core.history import SlotRange
from presage.core.source_reading import Source
from tests.unit.adapters.metric_server import Answer, say

Serve = Callable[[Answer], tuple[Source, list[tuple[str, str | None]]]]
SLOTS = SlotRange(10, 13, 300)


def matrix(*series: tuple[dict[str, str], list[list[Any]]]) -> str:
    result = [{"metric": labels, "values": values} for labels, values in series]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})


def silent(_: str) -> None:
    """Hear progress and do nothing."""


def test_values_stand_in_the_slots_that_end_there(serve: Serve) -> None:
    source, asked = serve(say(matrix(({}, [[3300, "1.5"], [3900, "2"], [4200, "NaN"]]))))
    told: list[str] = []
    values = read_range(Access(source.spec.url), "sum(x)", SLOTS, told.append)
    np.testing.assert_equal(values, np.array([1.5, math.nan, 2.0, math.nan], dtype=np.float32))
    assert told == [f"asking {source.spec.url}: part 1 of 1"]
    form = urllib.parse.parse_qs(urllib.parse.urlsplit(asked[0][0]).query)
    assert form == {"query": ["sum(x)"], "start": ["3300"], "end": ["4200"], "step": ["300"]}


def test_a_long_time_is_asked_in_parts(serve: Serve) -> None:
    source, asked = serve(say(matrix()))
    values = read_range(Access(source.spec.url), "x", SlotRange(0, 24_999, 60), silent)
    assert len(values) == 25_000
    assert np.isnan(values).all()
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("access", "want"),
    [
        pytest.param({"token": "abc"}, "Bearer abc", id="token"),
        pytest.param({"user": "me:secret"}, "Basic " + base64.b64encode(b"me:secret").decode(), id="user"),
        pytest.param({}, None, id="neither"),
    ],
)
def test_credentials_are_sent(serve: Serve, access: dict[str, str], want: str | None) -> None:
    source, asked = serve(say(matrix()))
    read_range(Access(source.spec.url, **access), "x", SLOTS, silent)  # type: ignore[arg-type]
    assert asked[0][1] == want


def refusal(error: str) -> str:
    return json.dumps({"status": "error", "errorType": "bad_data", "error": error})


@pytest.mark.parametrize(
    ("answer", "message", "is_query"),
    [
        pytest.param(
            say(refusal("1:5: parse\x1b[31m error"), 400),
            "it refuses the query (HTTP 400, 1:5: parse [31m error): check --query.",
            True,
            id="what Prometheus says of the query, printable",
        ),
        pytest.param(say("<html>", 400), "it refuses the query (HTTP 400): check --query.", True, id="no JSON"),
        pytest.param(
            say(refusal("x" * 9_999), 422),
            f"it refuses the query (HTTP 422, {'x' * 300}): check --query.",
            True,
            id="a long refusal is cut",
        ),
        pytest.param(
            say(matrix(({"pod": "a"}, []), ({"pod": "b"}, []))),
            "the query gives 2 series ({pod='a'}, {pod='b'}): make it one, as with sum(…).",
            True,
            id="two series",
        ),
        pytest.param(
            say("", 401),
            "it refuses the credentials (HTTP 401): check --token-file or --user-file.",
            False,
            id="credentials",
        ),
        pytest.param(
            say("", 404),
            "there is no Prometheus API at this address (HTTP 404): check --prometheus.",
            False,
            id="another server",
        ),
        pytest.param(
            say('{"data": []}'), "its answer is no Prometheus API answer: check --prometheus.", False, id="nonsense"
        ),
        pytest.param(
            say(json.dumps({"data": {"resultType": "vector", "result": []}})),
            "its answer is no Prometheus API answer: check --prometheus.",
            False,
            id="no range",
        ),
    ],
)
def test_faults_name_the_options(serve: Serve, answer: Answer, message: str, is_query: bool) -> None:
    source, _ = serve(answer)
    with pytest.raises(SourceFault) as raised:
        read_range(Access(source.spec.url), "x", SLOTS, silent)
    assert raised.value.message == f"{source.spec.url}: {message}"
    assert isinstance(raised.value, QueryFault) == is_query


def test_nobody_there() -> None:
    with pytest.raises(SourceFault) as raised:
        read_range(Access("http://127.0.0.1:9"), "x", SLOTS, silent)
    assert raised.value.message.startswith("http://127.0.0.1:9: no connection: check --prometheus, ")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("localhost:9090", "is no address of a Prometheus: write one such as http://localhost:9090"),
        ("ftp://x", "is no address of a Prometheus"),
        ("http://", "is no address of a Prometheus"),
        ("ftp://me:secret@x", "the address holds credentials"),
        ("http://me:secret@x", "the address holds credentials: give them by file or environment instead"),
    ],
)
def test_addresses_that_are_none(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        check_url(url)
    assert "secret" not in str(raised.value)


def test_the_path_of_an_address_is_kept() -> None:
    assert check_url("https://x/prometheus/") == "https://x/prometheus"
