"""The main job on a real cluster: one undisturbed compressed day, judged against the HPA rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.demo.__main__ import write_results
from e2e.demo.plan import Plan
from e2e.demo.play import Play
from e2e.demo.report import render_text
from e2e.demo.stage import Stage
from e2e.demo.traces import compress
from e2e.real_traces import load_real_trace

DAY_SECONDS = 360
HISTORY_DAYS = 14
MOST_OPERATOR_BYTES = 512 * 2**20


def test_presage_scales_ahead_of_a_real_load(stage: Stage, artefacts: Path, capfd: pytest.CaptureFixture[str]) -> None:
    plan = Plan(day_seconds=DAY_SECONDS)
    with capfd.disabled():  # a day is long: show how it goes
        load = compress(load_real_trace("svc_office_bursts"), DAY_SECONDS, plan.peak_rate, HISTORY_DAYS)
        assert load.history_days >= 4
        play = Play(stage, plan, load, artefacts)
        stage.set_up(plan, play.initial_replicas)
        record = play.run()
        summary = write_results(record, artefacts)
        print(render_text(summary))

    assert summary.rival.unmet_share > 0, "the load is no challenge: nothing can be concluded from it"
    assert summary.unmet_ratio <= 0.5
    assert summary.cost_ratio <= 1.3
    assert summary.counted_gap <= 0.01, "the generator counted other misses than the formula"
    assert sum(record.counts.behind) <= 0.01 * sum(record.counts.sent), "the generator could not keep its schedule"
    assert summary.presage.rises.lead_seconds >= 0 > summary.rival.rises.lead_seconds
    assert record.warnings == ()
    assert record.operator is not None
    assert record.operator.restarts == 0
    assert 0 < record.operator.memory_bytes <= MOST_OPERATOR_BYTES
