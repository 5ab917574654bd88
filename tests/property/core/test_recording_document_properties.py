"""Every recording comes back from its document; no bytes do harm, and the schema tells what the reader tells."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from presage.core.recording.document import (
    FORMAT,
    MAX_GENERATION,
    Document,
    DocumentError,
    body_of,
    parse_document,
    render_document,
)
from presage.core.recording.types import Escalation, EventRecording, MetricSettings, Recording, RecordingProfile

_SCHEMA = Path(__file__).parents[3] / "docs/reference/recording-body.schema.json"
BODY = jsonschema.Draft202012Validator(json.loads(_SCHEMA.read_text(encoding="utf-8")))
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
metrics = st.builds(MetricSettings, st.integers(1, 10**9), st.lists(texts, max_size=7, unique=True).map(tuple), texts)
profiles = st.builds(
    RecordingProfile, texts, st.dictionaries(texts, metrics, max_size=5), st.integers(1, 3600), st.booleans()
)
escalations = st.builds(Escalation, profiles, st.floats(0, 1), st.floats(0, 4e9))
events = st.builds(EventRecording, profiles, st.none() | escalations)
recordings = st.builds(
    Recording, texts, texts, st.dictionaries(texts, events, max_size=4), profiles, st.integers(1, 100_000)
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**60) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


@given(recordings, st.integers(1, MAX_GENERATION))
def test_a_recording_comes_back_from_its_document(recording: Recording, generation: int) -> None:
    written = render_document(recording, generation)
    assert parse_document(written.encode()) == Document(generation, recording)
    BODY.validate(json.loads(body_of(written)))


@given(st.binary(max_size=400))
def test_no_bytes_do_harm(content: bytes) -> None:
    with pytest.raises(DocumentError):
        parse_document(content)


@given(recordings, st.data())
def test_reader_and_schema_agree_on_any_change(recording: Recording, data: st.DataObject) -> None:
    raw = json.loads(body_of(render_document(recording, 1)))
    node = raw
    for _ in range(data.draw(st.integers(0, 4), "depth")):
        inner = [each for each in (node.values() if isinstance(node, dict) else node) if isinstance(each, dict | list)]
        if not inner:
            break
        node = data.draw(st.sampled_from(inner), "node")
    if isinstance(node, dict):
        assume(node)
        name = data.draw(st.sampled_from(sorted(node)), "name")
        if data.draw(st.booleans(), "drop"):
            del node[name]
        else:
            node[name] = data.draw(json_values, "value")
    else:
        node.append(data.draw(json_values, "value"))
    body = json.dumps(raw).encode()
    header = {"format": FORMAT, "generation": 1, "sha256": hashlib.sha256(body).hexdigest()}
    try:
        parse_document(json.dumps(header).encode() + b"\n" + body)
        read = True
    except DocumentError:
        read = False
    assert read == BODY.is_valid(raw)
