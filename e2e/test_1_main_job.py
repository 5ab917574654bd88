"""The main job on a real cluster: undisturbed compressed days, judged against the HPA rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from e2e.demo.__main__ import write_results
from e2e.demo.accounting import smooth
from e2e.demo.plan import Plan
from e2e.demo.play import Play
from e2e.demo.report import Summary, render_text
from e2e.demo.stage import Stage
from e2e.demo.traces import compress
from e2e.real_traces import load_real_trace
from presage.core.recording.choice import LEAVE_SHARE

DAY_SECONDS = 360
HISTORY_DAYS = 14
MOST_COST_RATIO = 1.3
MOST_OPERATOR_BYTES = 512 * 2**20
AWAY_SECONDS = 20
"""What is near a rise or a fall counts neither as quiet nor as peak: presage looks so far ahead and waits as long."""


@pytest.fixture
def play_day(stage: Stage, artefacts: Path, capfd: pytest.CaptureFixture[str]) -> Callable[[str], Summary]:
    """Plays the last day of a real trace and returns its figures, which are also in the artefacts."""

    def play(trace: str) -> Summary:
        plan = Plan(day_seconds=DAY_SECONDS)
        with capfd.disabled():  # a day is long: show how it goes
            load = compress(load_real_trace(trace), DAY_SECONDS, plan.peak_rate, HISTORY_DAYS)
            assert load.history_days >= 4
            day = Play(stage, plan, load, artefacts)
            stage.set_up(plan, day.initial_replicas)
            summary = write_results(day.run(), artefacts)
            print(render_text(summary))
        return summary

    return play


def assert_sound(summary: Summary) -> None:
    """Assert what holds on every undisturbed day, whatever the load: it was played as planned, the operator is well."""
    record = summary.record
    assert sum(record.counts.behind) <= 0.01 * sum(record.counts.sent), "the generator could not keep its schedule"
    assert record.warnings == ()
    assert record.operator is not None
    assert record.operator.restarts == 0
    assert 0 < record.operator.memory_bytes <= MOST_OPERATOR_BYTES


def assert_counted(summary: Summary) -> None:
    """Assert that what is bounded is what clients met: the generator counted the misses that the formula gives."""
    assert summary.counted_gap <= 0.01, "the generator counted other misses than the formula"


def assert_recorded_by_load(summary: Summary) -> None:
    """Assert that each profile was in force before the load called for it, and that recording broke nothing.

    Quiet and peak are those of the load itself, a while away from what comes before and after.
    """
    recorded, own = summary.record.recorded, summary.recording
    assert recorded is not None
    assert own is not None
    assert recorded.restarts == 0
    load, level = smooth(summary.record.counts.load), np.array(recorded.in_force)
    standard, debug = (each.above for each in recorded.levels[1:])
    assert (level[load > debug] == 2).mean() >= 0.95, "the most was not recorded at the peak"
    quiet = np.convolve(load < LEAVE_SHARE * standard, np.ones(2 * AWAY_SECONDS + 1), mode="same") > 2 * AWAY_SECONDS
    assert quiet.sum() >= AWAY_SECONDS
    assert (level[quiet] == 0).mean() >= 0.9, "more than the least was recorded while it was quiet"
    assert own.rises.count >= 3, "the load is no challenge: nothing can be concluded from it"
    assert own.rises.ahead_share == 1, "a profile came after the load that called for it"
    assert own.bytes_ratio is not None
    assert own.bytes_ratio < 1


def test_presage_scales_ahead_of_a_real_load(play_day: Callable[[str], Summary]) -> None:
    summary = play_day("svc_office_bursts")
    assert_sound(summary)
    assert_counted(summary)
    assert summary.rival.unmet_share > 0, "the load is no challenge: nothing can be concluded from it"
    assert summary.unmet_ratio <= 0.5
    assert summary.cost_ratio <= MOST_COST_RATIO
    assert summary.presage.rises.lead_seconds >= 0 > summary.rival.rises.lead_seconds
    assert_recorded_by_load(summary)


@pytest.mark.long
def test_bursts_with_little_pattern_cost_no_more_than_the_rule(play_day: Callable[[str], Summary]) -> None:
    summary = play_day("worldcup98")
    assert_sound(summary)
    assert_counted(summary)
    assert summary.presage.unmet_share <= max(summary.rival.unmet_share, 0.005)
    assert summary.cost_ratio <= MOST_COST_RATIO


@pytest.mark.long
def test_a_load_nobody_can_foresee_is_played_to_its_end(play_day: Callable[[str], Summary]) -> None:
    """Its figures are reported and not bounded: where nothing repeats, no forecast helps."""
    assert_sound(play_day("elb_requests"))
