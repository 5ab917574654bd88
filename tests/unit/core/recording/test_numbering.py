"""Generations rise with every change of content, whatever was lost in between."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presage.core.recording.catalogue import BUILT_IN
from presage.core.recording.document import MAX_GENERATION, render_document
from presage.core.recording.numbering import Numbered, digest_document, number_recording
from presage.core.recording.types import DEBUG, MINIMAL, EventRecording, Recording

NOW = 1_700_000_000.5
QUIET = Recording("team", "shop", {"order": EventRecording(BUILT_IN[MINIMAL])}, BUILT_IN[MINIMAL])
LOUD = replace(QUIET, event_types={"order": EventRecording(BUILT_IN[DEBUG])})


def at(generation: int, recording: Recording = QUIET) -> Numbered:
    return Numbered(generation, digest_document(render_document(recording, generation)))


@pytest.mark.parametrize(
    ("stored", "asked", "others", "want"),
    [
        pytest.param(None, None, (), int(NOW), id="nothing is known"),
        pytest.param(at(7), None, (7,), 7, id="it is stored"),
        pytest.param(at(7), at(7), (), 7, id="it is stored as asked for"),
        pytest.param(at(9), at(7), (), 9, id="stored by another hand, with the same content"),
        pytest.param(at(7, LOUD), None, (), int(NOW), id="another content is stored"),
        pytest.param(at(7, LOUD), at(9), (), 9, id="the copy lags: asked for again as it was"),
        pytest.param(None, at(9), (), 9, id="deleted by another hand"),
        pytest.param(at(7), at(9, LOUD), (), int(NOW), id="back to what a lagging copy still shows"),
        pytest.param(at(int(NOW) + 5, LOUD), None, (), int(NOW) + 6, id="the clock was set back"),
        pytest.param(None, None, (int(NOW) + 5,), int(NOW) + 6, id="only status knows"),
        pytest.param(at(MAX_GENERATION, LOUD), None, (3,), int(NOW), id="out of range, by another hand"),
    ],
)
def test_which_generation(stored: Numbered | None, asked: Numbered | None, others: tuple[int, ...], want: int) -> None:
    found = number_recording(QUIET, stored, asked, others, NOW)
    assert (found.generation, found.digest) == (want, at(1).digest)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([QUIET, LOUD]), st.floats(-100, 100), st.sampled_from(["", "lag", "lost", "restart"])
        ),
        max_size=20,
    )
)
def test_no_two_contents_have_one_generation(steps: list[tuple[Recording, float, str]]) -> None:
    stored: Numbered | None = None
    shown: Numbered | None = None
    asked: Numbered | None = None
    in_status, seen = 0, dict[int, str]()
    for recording, shift, event in steps:
        if event == "restart":
            asked, shown = None, stored  # a new process waits for its copy to be whole
        elif event == "lost":
            stored = shown = None
        found = number_recording(recording, shown, asked, (in_status,), NOW + shift)
        assert seen.setdefault(found.generation, found.digest) == found.digest
        assert found.generation >= max(seen)
        stored = asked = found
        in_status = found.generation
        shown = shown if event == "lag" else stored
