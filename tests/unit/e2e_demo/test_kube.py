from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e.demo.errors import DemoError
from e2e.demo.kube import Kubectl, decode_events

EVENTS = [{"type": "ADDED", "object": {"name": "a } {"}}, {"type": "DELETED", "object": {}}, {"type": "MODIFIED"}]


@given(st.lists(st.integers(1, 30), max_size=40), st.booleans())
def test_events_are_found_however_the_stream_is_cut(cuts: list[int], indented: bool) -> None:
    text = "\n".join(json.dumps(event, indent=4 if indented else None) for event in EVENTS) + "\n"
    chunks = []
    for cut in cuts:
        chunks.append(text[:cut])
        text = text[cut:]
    assert list(decode_events(iter([*chunks, text]))) == EVENTS


def test_a_context_that_is_not_ours_is_refused() -> None:
    with pytest.raises(DemoError, match="production"):
        Kubectl(Path("kubectl"), Path("config"), "production")
