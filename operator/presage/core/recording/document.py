"""The document by which a function learns what to record: two lines of JSON.

The first line is the header: format, generation, and SHA-256 of the second line's bytes. The second is the body. A
reader that finds another checksum has met half a file, and keeps what it had. Whoever writes gives each content a
higher generation than the one before.

Fields that a reader does not know are left alone, so that a later version may add some. For other languages the format
stands in docs/reference/recording-document.md; the JSON Schemas beside it are made from the bounds below.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from presage.core.recording.types import Escalation, EventRecording, MetricSettings, Recording, RecordingProfile

FORMAT = "presage.dev/recording/v1"
KEY = "recording.jsonl"
"""Name of the file, and of the key in the ConfigMap."""

MAX_BYTES = 256 * 1024
MAX_DEPTH = 12
MAX_EVENT_TYPES = 64
MAX_METRICS = 64
MAX_ATTRIBUTES = 16
MAX_EVERY_EVENTS = 10**9
MAX_ATTRIBUTE_SETS = 100_000
MAX_INTERVAL_S = 3600
MAX_GENERATION = 2**53 - 1
"""The highest whole number that every language's reader of JSON tells from its neighbours."""

MAX_NAME = 128
"""Longest name of an event type, metric or attribute, in characters."""

MAX_TEXT = 253
T = TypeVar("T")

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
"""A text, or a bracket outside of texts."""


class DocumentError(ValueError):
    """The document cannot be used; the message says where and why, and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was read: its generation and what it says."""

    generation: int
    recording: Recording


def render_document(recording: Recording, generation: int) -> str:
    """Return the document; the same recording gives the same body."""
    body = json.dumps(_render_body(recording), separators=(",", ":"), sort_keys=True, ensure_ascii=True)
    checksum = hashlib.sha256(body.encode()).hexdigest()
    header = {"format": FORMAT, "generation": generation, "sha256": checksum}
    return f"{json.dumps(header, separators=(',', ':'))}\n{body}\n"


def body_of(document: str) -> str:
    """Return the body's line, to tell whether two documents say the same; empty if there is none."""
    return document.partition("\n")[2].rstrip("\n")


def parse_document(content: bytes) -> Document:
    """Return what a document says.

    Args:
        content: The file's bytes, of any size and from anywhere.

    Raises:
        DocumentError: If it is not whole, not of this format, or out of bounds.
    """
    if len(content) > MAX_BYTES:
        raise DocumentError(f"longer than {MAX_BYTES} bytes")
    head, newline, rest = content.partition(b"\n")
    body = rest.removesuffix(b"\n")
    if not newline or b"\n" in body:
        raise DocumentError("not two lines")
    header = _object(_load(head, "header"), "header")
    if header.get("format") != FORMAT:
        raise DocumentError(f"format is not {FORMAT}")
    if header.get("sha256") != hashlib.sha256(body).hexdigest():
        raise DocumentError("the checksum is another one: the file is not whole")
    generation = _whole(header, "generation", 1, MAX_GENERATION, "header")
    return Document(generation, _read_body(_object(_load(body, "body"), "body")))


def _render_body(recording: Recording) -> dict[str, object]:
    return {
        "metricProfile": {"namespace": recording.namespace, "name": recording.name},
        "attributeSets": recording.attribute_sets,
        "default": _render_profile(recording.default),
        "eventTypes": {name: _render_event(each) for name, each in recording.event_types.items()},
    }


def _render_event(event: EventRecording) -> dict[str, object]:
    rendered: dict[str, object] = {"profile": _render_profile(event.profile)}
    if event.escalation is not None:
        up = event.escalation
        rendered["escalation"] = {"profile": _render_profile(up.profile), "share": up.share, "until": up.until}
    return rendered


def _render_profile(profile: RecordingProfile) -> dict[str, object]:
    metrics = {
        name: {"everyEvents": each.every_events, "attributes": list(each.attributes), "retention": each.retention}
        for name, each in profile.metrics.items()
    }
    return {
        "name": profile.name,
        "exportIntervalSeconds": profile.export_interval_s,
        "exemplars": profile.exemplars,
        "metrics": metrics,
    }


def _read_body(body: Mapping[str, object]) -> Recording:
    owner = _object(body.get("metricProfile"), "metricProfile")
    events = _bounded(_object(body.get("eventTypes"), "eventTypes"), MAX_EVENT_TYPES, "eventTypes")
    return Recording(
        namespace=_text(owner, "namespace", "metricProfile"),
        name=_text(owner, "name", "metricProfile"),
        attribute_sets=_whole(body, "attributeSets", 1, MAX_ATTRIBUTE_SETS, "body"),
        default=_read_profile(body.get("default"), "default"),
        event_types={name: _read_event(each, "eventTypes") for name, each in events.items()},
    )


def _read_event(raw: object, where: str) -> EventRecording:
    event = _object(raw, where)
    profile = _read_profile(event.get("profile"), f"{where}.profile")
    if event.get("escalation") is None:
        return EventRecording(profile)
    where = f"{where}.escalation"
    up = _object(event["escalation"], where)
    share = _number(up, "share", 0.0, 1.0, where)
    until = _number(up, "until", 0.0, float(MAX_GENERATION), where)
    return EventRecording(profile, Escalation(_read_profile(up.get("profile"), f"{where}.profile"), share, until))


def _read_profile(raw: object, where: str) -> RecordingProfile:
    profile = _object(raw, where)
    metrics = _bounded(_object(profile.get("metrics"), f"{where}.metrics"), MAX_METRICS, f"{where}.metrics")
    exemplars = profile.get("exemplars", False)
    if not isinstance(exemplars, bool):
        raise DocumentError(f"{where}.exemplars is not true or false")
    return RecordingProfile(
        name=_text(profile, "name", where),
        metrics={name: _read_metric(each, f"{where}.metrics") for name, each in metrics.items()},
        export_interval_s=_whole(profile, "exportIntervalSeconds", 1, MAX_INTERVAL_S, where),
        exemplars=exemplars,
    )


def _read_metric(raw: object, where: str) -> MetricSettings:
    metric = _object(raw, where)
    attributes = metric.get("attributes", [])
    if not isinstance(attributes, list) or len(attributes) > MAX_ATTRIBUTES:
        raise DocumentError(f"{where}: attributes is not a list of at most {MAX_ATTRIBUTES}")
    if not all(isinstance(each, str) and _is_text(each, MAX_NAME) for each in attributes):
        raise DocumentError(f"{where}: an attribute is not a name")
    every = _whole(metric, "everyEvents", 1, MAX_EVERY_EVENTS, where)
    return MetricSettings(every, tuple(dict.fromkeys(attributes)), _text(metric, "retention", where))


def _load(line: bytes, where: str) -> object:
    if _depth(line) > MAX_DEPTH:  # before anything follows the nesting
        raise DocumentError(f"{where} is nested deeper than {MAX_DEPTH}")
    try:
        return json.loads(line.decode(), object_pairs_hook=_pairs, parse_constant=_refuse_constant)
    except ValueError:  # also of bytes that are not UTF-8, and of numbers with thousands of digits
        raise DocumentError(f"{where} is not JSON") from None


def _depth(line: bytes) -> int:
    """Return how deep brackets are nested."""
    deepest = depth = 0
    for found in _TOKEN.finditer(line):
        if (token := found[0]) in (b"{", b"["):
            depth += 1
            deepest = max(deepest, depth)
        elif token in (b"}", b"]"):
            depth -= 1
    return deepest


def _pairs(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """Return an object; of two equal names readers would take either, so it is refused."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _refuse_constant(name: str) -> object:
    raise ValueError  # NaN and infinity are none of JSON's numbers


def _object(raw: object, where: str) -> Mapping[str, object]:
    if not isinstance(raw, dict):
        raise DocumentError(f"{where} is not an object")
    return raw


def _bounded(found: Mapping[str, T], most: int, where: str) -> Mapping[str, T]:
    if len(found) > most:
        raise DocumentError(f"{where} has more than {most} entries")
    if not all(_is_text(name, MAX_NAME) for name in found):
        raise DocumentError(f"{where} has a name that is empty or too long")
    return found


def _is_text(value: str, most: int) -> bool:
    """Whether it has 1 to so many characters, all of which can be exported: half a surrogate pair cannot."""
    return 0 < len(value) <= most and not any("\ud800" <= each <= "\udfff" for each in value)


def _text(raw: Mapping[str, object], name: str, where: str) -> str:
    value = raw.get(name)
    if not isinstance(value, str) or not _is_text(value, MAX_TEXT):
        raise DocumentError(f"{where}.{name} is not a text of 1 to {MAX_TEXT} characters")
    return value


def _whole(raw: Mapping[str, object], name: str, least: int, most: int, where: str) -> int:
    value = raw.get(name)
    if isinstance(value, float) and value.is_integer():  # 1.0 and 1e0 are 1, as in JSON Schema
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise DocumentError(f"{where}.{name} is not a whole number from {least} to {most}")
    return value


def _number(raw: Mapping[str, object], name: str, least: float, most: float, where: str) -> float:
    value = raw.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise DocumentError(f"{where}.{name} is not a number from {least:g} to {most:g}")
    return float(value)
