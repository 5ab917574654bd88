"""Which profile was in force when, what that cost, and what the most would have cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from e2e.demo.podlog import DocumentLog
from e2e.demo.recording import (
    Chosen,
    Cost,
    InstanceStep,
    LoadLevel,
    Presence,
    Recorded,
    account_recording,
    build_recording_rows,
    derive_reference,
    find_in_force,
    measure_level_rises,
)
from presage.core.recording.catalogue import BUILT_IN
from presage.core.recording.document import KEY, render_document
from presage.core.recording.types import DEBUG, MINIMAL, STANDARD, EventRecording, Recording

START = 1000.0
LEVELS = (LoadLevel(MINIMAL, 0), LoadLevel(STANDARD, 100), LoadLevel(DEBUG, 240))
CHOSEN = (Chosen(START - 60, 1, MINIMAL), Chosen(START + 40, 2, STANDARD), Chosen(START + 50, 3, DEBUG))
ALL_DAY = Presence(START - 60, START + 200)


def in_force(steps: list[InstanceStep], present: dict[str, Presence], seconds: int = 100) -> list[int]:
    return find_in_force(LEVELS, CHOSEN, steps, present, START, seconds).tolist()


def test_the_slowest_instance_says_what_is_in_force() -> None:
    steps = [InstanceStep(pod, START - 59, 1) for pod in "ab"]
    steps += [InstanceStep("a", START + 40.5, 2), InstanceStep("b", START + 43.5, 2)]
    steps += [InstanceStep("a", START + 51.0, 3), InstanceStep("b", START + 56.0, 3)]
    got = in_force(steps, {"a": ALL_DAY, "b": ALL_DAY})
    assert got == [0] * 44 + [1] * 12 + [2] * 44


def test_an_instance_counts_only_while_it_is_there() -> None:
    steps = [InstanceStep("a", START - 59, 1), InstanceStep("b", START + 52, 3)]
    got = in_force(steps, {"a": Presence(START - 60, START + 60), "b": Presence(START + 53, START + 200)})
    assert got == [0] * 61 + [2] * 39


def test_an_instance_that_read_nothing_records_the_least() -> None:
    steps = [InstanceStep("a", START - 59, 0), InstanceStep("b", START - 59, 3)]
    assert in_force(steps, {"a": ALL_DAY, "b": ALL_DAY}) == [0] * 100


def test_a_second_without_instances_is_as_the_one_before() -> None:
    steps = [InstanceStep("a", START - 59, 3)]
    assert in_force(steps, {"a": Presence(START - 60, START + 10)}, 20) == [2] * 20


@pytest.mark.parametrize(
    ("standard_at", "debug_at", "ahead_share", "lead_seconds"),
    [(20, 51, 1.0, 10.0), (30, 71, 0.5, -5.0), (32, 64, 0.0, -2.5), (10, 10, 1.0, 35.5)],
    ids=["ahead", "one late", "both late", "the most at once"],
)
def test_a_rise_is_met_by_the_profile_that_was_there_before(
    standard_at: int, debug_at: int, ahead_share: float, lead_seconds: float
) -> None:
    second = np.arange(100)
    load = np.where(second >= 60, 300.0, np.where(second >= 30, 150.0, 50.0))  # as a mean over 5 s: at 30 and at 61
    level = np.where(second >= debug_at, 2, np.where(second >= standard_at, 1, 0))
    got = measure_level_rises(load, LEVELS, level)
    assert (got.count, got.ahead_share, got.lead_seconds) == (2, ahead_share, lead_seconds)


def test_a_load_below_all_levels_has_no_rises() -> None:
    assert measure_level_rises(np.full(100, 50.0), LEVELS, np.zeros(100, dtype=int)).count == 0


def cost(pods: float, body: float, events: float, record: float, page: float, steps: int) -> Cost:
    return Cost(2.0, *((each,) * steps for each in (pods, body, events, record, page)))


def day() -> Recorded:
    """50 s at the least with 2 pods and 50 orders a second, then 50 s at the most with 5 pods and 200."""
    quiet, busy = cost(2, 2_000, 50, 0.001, 0.002, 25), cost(5, 100_000, 200, 0.02, 0.05, 25)
    rows = {
        name: getattr(quiet, name) + getattr(busy, name)
        for name in ("pods", "body_bytes", "events", "record_cores", "page_cores")
    }
    return Recorded(LEVELS, CHOSEN, (0,) * 50 + (2,) * 50, Cost(2.0, **rows), 0)


def test_the_most_all_day_is_derived_from_the_time_in_which_it_was_recorded() -> None:
    got = derive_reference(day())
    assert got is not None
    assert got.bytes_per_second[0] == pytest.approx(20_000 * 2 / 2)
    assert got.bytes_per_second[-1] == pytest.approx(50_000)
    assert got.cores[0] == pytest.approx(50 * 0.02 / 200 + 2 * 0.05 / 5)
    assert got.cores[-1] == pytest.approx(0.07)


def test_without_enough_time_at_the_most_nothing_is_derived() -> None:
    assert derive_reference(replace(day(), in_force=(0,) * 85 + (2,) * 15)) is None
    assert build_recording_rows(account_recording(replace(day(), in_force=(1,) * 100), np.full(100, 50.0)))[1][2] == "-"


def test_figures_of_a_day() -> None:
    got = account_recording(day(), np.repeat([50.0, 300.0], 50))
    assert got.shares == {MINIMAL: 0.5, STANDARD: 0.0, DEBUG: 0.5}
    assert got.changes == 2
    assert got.bytes_per_second == pytest.approx((1_000 + 50_000) / 2)
    assert got.bytes_ratio == pytest.approx(25_500 / 35_000)
    assert got.cores_ratio == pytest.approx((0.003 + 0.07) / (0.025 + 0.07))


def event(kind: str, data: dict[str, str] | None) -> dict[str, object]:
    return {"type": kind, "object": {"kind": "ConfigMap", "data": data}}


def document(profile: str, generation: int, event_type: str = "order") -> dict[str, str]:
    told = Recording("shop", "order", {event_type: EventRecording(BUILT_IN[profile])}, BUILT_IN[MINIMAL])
    return {KEY: render_document(told, generation)}


def test_documents_are_followed_by_their_generation() -> None:
    log = DocumentLog("order")
    log.receive(1.0, event("ADDED", None))
    log.receive(2.0, event("ADDED", document(STANDARD, 4)))
    log.receive(3.0, event("MODIFIED", document(STANDARD, 4)))
    log.receive(4.0, event("MODIFIED", document(DEBUG, 5)))
    log.receive(5.0, event("DELETED", document(DEBUG, 5)))
    log.receive(6.0, event("ADDED", document(DEBUG, 6, "refund")))
    assert log.chosen() == (Chosen(2.0, 4, STANDARD), Chosen(4.0, 5, DEBUG), Chosen(6.0, 6, MINIMAL))
