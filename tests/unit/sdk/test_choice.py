"""Which profile is in force: by event type, instance and time."""

from __future__ import annotations

import hashlib

import pytest

from presage.core.recording.types import Escalation, EventRecording, Recording
from presage.sdk.choice import FALLBACK, MAX_ESCALATION_S, Chooser, is_in_share
from tests.unit.sdk.conftest import profile

QUIET, LOUD, OTHER = profile("Quiet", latency=100), profile("Loud", latency=1), profile("Other", latency=10)


def chooser(until: float, share: float = 1.0, wall: float = 1000.0) -> Chooser:
    made = Chooser("pod-1")
    made.take(said(until, share), wall, 50.0)
    return made


def said(until: float, share: float = 1.0) -> Recording:
    return Recording("default", "shop", {"order": EventRecording(QUIET, Escalation(LOUD, share, until))}, OTHER)


def test_nothing_read_is_minimal() -> None:
    assert Chooser("pod-1").choose("order", 0, 0).name == "Minimal"
    assert FALLBACK.attribute_sets == 200


@pytest.mark.parametrize(
    ("wall", "monotonic", "want"),
    [
        (1000, 50, "Loud"),
        (1099, 149, "Loud"),
        (1100, 149, "Quiet"),  # its end has come
        (500, 149, "Loud"),  # the clock stepped back
        (500, 150, "Quiet"),  # and that does not make it longer
        (9000, 60, "Quiet"),  # the clock stepped forth
    ],
)
def test_an_escalation_ends_by_either_clock(wall: float, monotonic: float, want: str) -> None:
    assert chooser(1100).choose("order", wall, monotonic).name == want


def test_it_never_lasts_longer_than_a_day() -> None:
    made = chooser(1e12)
    assert made.choose("order", 1000, 50 + MAX_ESCALATION_S - 1).name == "Loud"
    assert made.choose("order", 1000, 50 + MAX_ESCALATION_S).name == "Quiet"


def test_the_same_escalation_in_a_later_document_keeps_its_end() -> None:
    made = chooser(1100)
    made.take(said(1100), 900.0, 140.0)  # the clock stepped back by 190 s in between
    assert made.choose("order", 910, 150).name == "Quiet"
    made.take(said(1200), 1000.0, 150.0)
    assert made.choose("order", 1000, 160).name == "Loud"


def test_other_event_types_and_instances_outside_the_share_are_not_touched() -> None:
    assert chooser(1100).choose("else", 1000, 50).name == "Other"
    assert chooser(1100, share=0.0).choose("order", 1000, 50).name == "Quiet"


def test_the_share_is_the_share_of_names() -> None:
    names = [f"shop-7d9c-{index}" for index in range(2000)]
    assert 150 < sum(is_in_share(name, 0.1) for name in names) < 250
    assert all(is_in_share(name, 1.0) for name in names)
    inside = {name for name in names if is_in_share(name, 0.1)}
    assert inside <= {name for name in names if is_in_share(name, 0.2)}
    # the first 8 bytes of SHA-256, as part of 2^64: other languages must agree
    part = int(hashlib.sha256(b"pod-1").hexdigest()[:16], 16) / 2**64
    assert (is_in_share("pod-1", part - 1e-9), is_in_share("pod-1", part + 1e-9)) == (False, True)
