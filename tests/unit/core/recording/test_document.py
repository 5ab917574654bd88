"""The document that functions read: what is written is read, and nothing else is."""

from __future__ import annotations

import copy
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from presage.core.recording.catalogue import BUILT_IN
from presage.core.recording.document import (
    FORMAT,
    MAX_ATTRIBUTE_SETS,
    MAX_ATTRIBUTES,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_EVENT_TYPES,
    MAX_EVERY_EVENTS,
    MAX_GENERATION,
    MAX_INTERVAL_S,
    MAX_METRICS,
    MAX_NAME,
    MAX_TEXT,
    Document,
    DocumentError,
    body_of,
    parse_document,
    render_document,
)
from presage.core.recording.types import (
    DEBUG,
    MINIMAL,
    STANDARD,
    Escalation,
    EventRecording,
    MetricSettings,
    Recording,
    RecordingProfile,
)

REFERENCE = Path(__file__).parents[4] / "docs/reference"
RECORDING = Recording(
    namespace="shop",
    name="orders",
    event_types={
        "order": EventRecording(BUILT_IN[STANDARD], Escalation(BUILT_IN[DEBUG], 0.1, 1_795_000_000.5)),
        "söka": EventRecording(RecordingProfile("Bare", {}, 5)),
    },
    default=BUILT_IN[MINIMAL],
)
Change = Callable[[dict[str, Any]], object]


def document(body: str | bytes, **header: object) -> bytes:
    """Return a document whose checksum is right, around any body."""
    raw = body.encode() if isinstance(body, str) else body
    fields = {"format": FORMAT, "generation": 7, "sha256": hashlib.sha256(raw).hexdigest(), **header}
    return (
        json.dumps({name: value for name, value in fields.items() if value is not ...}).encode() + b"\n" + raw + b"\n"
    )


def body() -> dict[str, Any]:
    return copy.deepcopy(json.loads(body_of(render_document(RECORDING, 7))))


def schema(part: str) -> jsonschema.Draft202012Validator:
    found = json.loads((REFERENCE / f"recording-{part}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


def metric(raw: dict[str, Any]) -> dict[str, Any]:
    return raw["default"]["metrics"]["latency"]  # type: ignore[no-any-return]


def up(raw: dict[str, Any]) -> dict[str, Any]:
    return raw["eventTypes"]["order"]["escalation"]  # type: ignore[no-any-return]


def put(place: Callable[[dict[str, Any]], dict[str, Any]], name: str, value: object) -> Change:
    return lambda raw: place(raw).__setitem__(name, value)


def drop(place: Callable[[dict[str, Any]], dict[str, Any]], name: str) -> Change:
    return lambda raw: place(raw).__delitem__(name)


def top(raw: dict[str, Any]) -> dict[str, Any]:
    return raw


def default(raw: dict[str, Any]) -> dict[str, Any]:
    return raw["default"]  # type: ignore[no-any-return]


def event(raw: dict[str, Any]) -> dict[str, Any]:
    return raw["eventTypes"]["order"]  # type: ignore[no-any-return]


def many(of: object, count: int) -> dict[str, object]:
    return {f"n{number}": of for number in range(count)}


BARE = {"name": "Bare", "exportIntervalSeconds": 5, "metrics": {}}
SETTINGS = {"everyEvents": 1, "retention": "15d"}

KEPT: dict[str, Change] = {
    "as written": lambda raw: None,
    "a field of a later version": put(metric, "aggregation", {"kind": "exponential"}),
    "no event types": put(top, "eventTypes", {}),
    "no escalation": put(event, "escalation", None),
    "no exemplars named": drop(default, "exemplars"),
    "no attributes named": drop(metric, "attributes"),
    "most attribute sets": put(top, "attributeSets", MAX_ATTRIBUTE_SETS),
    "least attribute sets": put(top, "attributeSets", 1),
    "most event types": put(top, "eventTypes", many({"profile": BARE}, MAX_EVENT_TYPES)),
    "most metrics": put(default, "metrics", many(SETTINGS, MAX_METRICS)),
    "most attributes": put(metric, "attributes", list(many(0, MAX_ATTRIBUTES))),
    "longest interval": put(default, "exportIntervalSeconds", MAX_INTERVAL_S),
    "largest block": put(metric, "everyEvents", MAX_EVERY_EVENTS),
    "a whole number with a point": put(metric, "everyEvents", 10.0),
    "longest names": put(default, "metrics", {"ü" * MAX_NAME: {**SETTINGS, "attributes": ["ü" * MAX_NAME]}}),
    "longest texts": put(default, "name", "n" * MAX_TEXT),
    "brackets in a text": put(default, "name", "[{" * 40),
    "all instances": put(up, "share", 1),
    "no instance": put(up, "share", 0),
    "an end that is over": put(up, "until", 0),
    "latest end": put(up, "until", MAX_GENERATION),
}

REFUSED: dict[str, Change] = {
    "no owner": drop(top, "metricProfile"),
    "owner a text": put(top, "metricProfile", "shop/orders"),
    "no namespace": lambda raw: raw["metricProfile"].pop("namespace"),
    "an empty name": lambda raw: raw["metricProfile"].update(name=""),
    "a name that is too long": lambda raw: raw["metricProfile"].update(name="n" * (MAX_TEXT + 1)),
    "a name that is a number": lambda raw: raw["metricProfile"].update(name=7),
    "no attribute sets": drop(top, "attributeSets"),
    "attribute sets 0": put(top, "attributeSets", 0),
    "too many attribute sets": put(top, "attributeSets", MAX_ATTRIBUTE_SETS + 1),
    "attribute sets true": put(top, "attributeSets", True),
    "attribute sets a text": put(top, "attributeSets", "200"),
    "attribute sets a fraction": put(top, "attributeSets", 1.5),
    "attribute sets a huge number": put(top, "attributeSets", 10**400),
    "no default": drop(top, "default"),
    "default a list": put(top, "default", []),
    "no event types named": drop(top, "eventTypes"),
    "event types a list": put(top, "eventTypes", []),
    "too many event types": put(top, "eventTypes", many({"profile": BARE}, MAX_EVENT_TYPES + 1)),
    "an event type without a name": put(top, "eventTypes", {"": {"profile": BARE}}),
    "an event type whose name is too long": put(top, "eventTypes", {"n" * (MAX_NAME + 1): {"profile": BARE}}),
    "an event type null": put(top, "eventTypes", {"order": None}),
    "an event type without profile": put(top, "eventTypes", {"order": {}}),
    "escalation false": put(event, "escalation", False),
    "escalation empty": put(event, "escalation", {}),
    "escalation without profile": drop(up, "profile"),
    "share a text": put(up, "share", "0.1"),
    "share true": put(up, "share", True),
    "share null": put(up, "share", None),
    "share below 0": put(up, "share", -0.01),
    "share above 1": put(up, "share", 1.01),
    "share a huge number": put(up, "share", 10**400),
    "until below 0": put(up, "until", -1),
    "until a huge number": put(up, "until", 10**400),
    "no profile name": drop(default, "name"),
    "no interval": drop(default, "exportIntervalSeconds"),
    "interval 0": put(default, "exportIntervalSeconds", 0),
    "interval below 0": put(default, "exportIntervalSeconds", -60),
    "interval too long": put(default, "exportIntervalSeconds", MAX_INTERVAL_S + 1),
    "exemplars a number": put(default, "exemplars", 1),
    "exemplars null": put(default, "exemplars", None),
    "no metrics": drop(default, "metrics"),
    "metrics a list": put(default, "metrics", ["latency"]),
    "too many metrics": put(default, "metrics", many(SETTINGS, MAX_METRICS + 1)),
    "a metric without a name": put(default, "metrics", {"": SETTINGS}),
    "a metric that is a number": put(default, "metrics", {"latency": 10}),
    "no block": drop(metric, "everyEvents"),
    "block 0": put(metric, "everyEvents", 0),
    "block too large": put(metric, "everyEvents", MAX_EVERY_EVENTS + 1),
    "block null": put(metric, "everyEvents", None),
    "attributes a text": put(metric, "attributes", "route"),
    "attributes null": put(metric, "attributes", None),
    "too many attributes": put(metric, "attributes", list(many(0, MAX_ATTRIBUTES + 1))),
    "an attribute without a name": put(metric, "attributes", [""]),
    "an attribute that is a list": put(metric, "attributes", [[]]),
    "an attribute whose name is too long": put(metric, "attributes", ["n" * (MAX_NAME + 1)]),
    "no retention": drop(metric, "retention"),
    "retention a number": put(metric, "retention", 15),
    "retention empty": put(metric, "retention", ""),
}


@pytest.mark.parametrize("change", KEPT.values(), ids=KEPT)
def test_what_is_in_bounds_is_read_and_the_schema_holds(change: Change) -> None:
    raw = body()
    change(raw)
    assert parse_document(document(json.dumps(raw))).generation == 7
    schema("body").validate(raw)


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_what_is_out_of_bounds_is_refused_by_reader_and_schema(change: Change) -> None:
    raw = body()
    change(raw)
    with pytest.raises(DocumentError):
        parse_document(document(json.dumps(raw)))
    assert not schema("body").is_valid(raw)


@pytest.mark.parametrize("field", ["format", "generation", "sha256"])
@pytest.mark.parametrize("value", [..., None, True, 0, -1, 1.5, MAX_GENERATION + 1, 10**400, "", "7", [], {}])
def test_headers_are_refused_by_reader_and_schema(field: str, value: object) -> None:
    content = document(body_of(render_document(RECORDING, 7)), **{field: value})
    with pytest.raises(DocumentError):
        parse_document(content)
    assert not schema("header").is_valid(json.loads(content.split(b"\n")[0]))


@pytest.mark.parametrize("generation", [1, 7, MAX_GENERATION])
def test_what_is_written_is_read(generation: int) -> None:
    written = render_document(RECORDING, generation)
    assert parse_document(written.encode()) == Document(generation, RECORDING)
    header, rest = written.split("\n", 1)
    schema("header").validate(json.loads(header))
    schema("body").validate(json.loads(rest))


def test_the_same_recording_has_the_same_body() -> None:
    turned = Recording("shop", "orders", dict(reversed(RECORDING.event_types.items())), RECORDING.default)
    assert body_of(render_document(RECORDING, 1)) == body_of(render_document(turned, 2)) != ""
    assert body_of("") == body_of("one line") == ""


def test_a_part_of_a_document_is_refused_wherever_it_ends() -> None:
    content = render_document(RECORDING, 7).encode()
    for end in range(len(content) - 1):
        with pytest.raises(DocumentError):
            parse_document(content[:end])
    assert parse_document(content[:-1]).generation == 7, "the last line feed may be missing"


def test_a_changed_byte_is_refused_wherever_it_is() -> None:
    content = render_document(RECORDING, 7).encode()
    begin = content.index(b"\n") + 1
    for place in range(begin, len(content) - 1):
        changed = bytes([content[place] ^ 1])
        with pytest.raises(DocumentError):
            parse_document(content[:place] + changed + content[place + 1 :])


_BODY = body_of(render_document(RECORDING, 7))
CASES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "not two lines"),
    "one line": (_BODY.encode(), "not two lines"),
    "three lines": (document(_BODY) + b"\n", "not two lines"),
    "a line more": (document(_BODY).replace(b"\n", b"\n\n", 1), "not two lines"),
    "too long": (document(_BODY + " " * MAX_BYTES), "longer than"),
    "a megabyte": (b"[" * 2**20, "longer than"),
    "a header that is a list": (b"[]\n{}", "header is not an object"),
    "a header that is no JSON": (b"{\n{}", "header is not JSON"),
    "another checksum": (document(_BODY, sha256="0" * 64), "checksum"),
    "a checksum in capitals": (document(_BODY, sha256=hashlib.sha256(_BODY.encode()).hexdigest().upper()), "checksum"),
    "a body that is a number": (document("7"), "body is not an object"),
    "a body that is null": (document("null"), "body is not an object"),
    "an empty body": (document(""), "body is not JSON"),
    "two values": (document("{} {}"), "body is not JSON"),
    "NaN": (document(_BODY.replace("0.1", "NaN")), "body is not JSON"),
    "infinity": (document(_BODY.replace("0.1", "Infinity")), "body is not JSON"),
    "a number beyond doubles": (document(_BODY.replace("0.1", "1e999")), "share"),
    "a number of 100,000 digits": (document(_BODY.replace("0.1", "1" * 100_000)), "body is not JSON"),
    "a name twice": (document('{"eventTypes":{},' + _BODY[1:]), "body is not JSON"),
    "a name twice, far inside": (document(_BODY.replace('"share"', '"until":1,"share"')), "body is not JSON"),
    "bytes that are no UTF-8": (document(_BODY.encode().replace(b"orders", b"\xff\xfe\xfd")), "body is not JSON"),
    "UTF-16": (document(_BODY.encode("utf-16-le")), "body is not JSON"),
    "a byte order mark": (document(b"\xef\xbb\xbf" + _BODY.encode()), "body is not JSON"),
    "half a surrogate pair": (document(_BODY.replace("orders", "\\ud800")), "metricProfile.name"),
    "half a surrogate pair in a name": (document(_BODY.replace('"order"', '"\\udfff"')), "eventTypes has a name"),
    "control characters in a text": (document(_BODY.replace("orders", "\x00\x1b")), "body is not JSON"),
    "one level too deep": (document("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)), "deeper"),
    "very deep": (document("[" * 200_000), "deeper"),
    "very deep objects": (document('{"a":' * 40_000), "deeper"),
    "deep behind brackets in texts": (document('["]",' * 40_000), "deeper"),
    "deep behind an escaped quote": (document('["\\"]",' * 30_000), "deeper"),
    "deep behind a text without end": (document('{"a":"' + "[" * 1_000), "deeper"),
    "a deep header": (b"[" * 100_000 + b"\n{}", "deeper"),
}


@pytest.mark.parametrize(("content", "says"), CASES.values(), ids=CASES)
def test_hostile_content_is_refused_in_no_time(content: bytes, says: str) -> None:
    started = time.process_time()
    with pytest.raises(DocumentError, match=says) as refused:
        parse_document(content)
    assert time.process_time() - started < 0.5
    assert len(str(refused.value)) < 120, "nothing of the document is quoted"
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_an_attribute_named_twice_counts_once() -> None:
    raw = body()
    metric(raw)["attributes"] = ["route", "outcome", "route"]
    read = parse_document(document(json.dumps(raw))).recording
    assert read.default.metrics["latency"] == MetricSettings(100, ("route", "outcome"), "15d")


def test_line_ends_of_windows_are_white_space() -> None:
    content = document(_BODY + "\r").replace(b"\n", b"\r\n", 1)
    assert parse_document(content).recording == RECORDING
