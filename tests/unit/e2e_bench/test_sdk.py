"""The SDK's bench: verdicts, the sampler's events, what its server measures, and what its clients ask for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from e2e.bench import sdk_bias, sdk_calls, sdk_text
from e2e.bench.sdk_bias import Bias
from e2e.bench.sdk_calls import Calls
from e2e.bench.sdk_documents import EVENT, EVERY, SAMPLED, write_built_in, write_sampled
from e2e.bench.sdk_load import Loaded, plan_request
from e2e.bench.sdk_rows import Run, judge_bias, judge_calls, judge_load, judge_starts, render_results, render_text
from e2e.bench.sdk_server import FAILS, Function
from e2e.bench.sdk_start import Starts
from presage.core.recording.document import parse_document
from presage.sdk import Telemetry
from presage.sdk.sampler import BlockSampler, derive_seed

NS = dict.fromkeys(
    ("left out histogram", "left out counter", "sampled histogram", "event under Minimal", "plain histogram",
     "plain counter", "plain event"), 100.0,
)  # fmt: skip
CALLS = Calls(15, NS, {"left out": 1 / 60, "left out counter": 1 / 21, "sampled": 1 / 14, "event": 1 / 9})
BARE = Loaded("", 60.0, 24000, 0.0, 0.0, 300.0)
MINIMAL = replace(BARE, profile="Minimal", calls_us=4.0, threads_us=1.0, received=5_000, exports=1)
DEBUG = replace(BARE, profile="Debug", calls_us=150.0, threads_us=50.0, received=1_500_000, exports=6)


def test_calls_are_judged_by_their_shares() -> None:
    rows = judge_calls(CALLS)
    assert [each.verdict for each in rows] == ["pass", "pass", "falls short", "-"]
    assert [each.aim_verdict for each in rows] == ["reached", "not reached", "not reached", "-"]


def test_load_is_judged_by_calls_and_threads_together() -> None:
    cpu, sent, *whole = judge_load(BARE, MINIMAL, DEBUG)
    assert (cpu.value, cpu.verdict) == (5 / 200, "pass")
    assert (sent.value, sent.verdict, sent.aim_verdict) == (1 / 300, "pass", "not reached")
    assert [each.verdict for each in whole] == ["-"] * 3
    assert judge_load(BARE, replace(MINIMAL, threads_us=4.0), DEBUG)[0].verdict == "falls short"


@pytest.mark.parametrize(
    ("mean", "error", "want"),
    [(0.02, 0.01, "pass"), (-0.021, 0.01, "falls short"), (0.0, 0.0, "pass"), (1e-9, 0.0, "falls short")],
)
def test_bias_is_judged_by_standard_errors(mean: float, error: float, want: str) -> None:
    rows = judge_bias([Bias(50, 200, mean, error, 2.0)], Bias(0, 200, 0.0, 0.0, 0.0), (0, 0))
    assert rows[0].verdict == want
    assert {each.verdict for each in rows[1:]} == {"pass"}
    off = judge_bias([], Bias(0, 200, -0.01, 0.0, 0.0), (-1, 3))
    assert {each.verdict for each in off} == {"falls short"}


def test_a_run_holds_while_no_figure_falls_short() -> None:
    starts = judge_starts(Starts(30, -200.0, 300.0, 400.0, 600.0))
    run = Run(starts, {"date": "today"}, ["A short run."])
    assert run.holds
    assert not Run([*starts, *judge_starts(Starts(30, 51.0, 300.0, 400.0, 349.0))], {}).holds
    assert "-200 ms" in render_text(run)
    assert "| added until the first event, over the plain SDK | -200 ms | ≤ 50 | pass |" in render_results(run)


def test_the_sampler_is_followed_event_by_event() -> None:
    sampler = BlockSampler(EVERY, derive_seed(3, EVENT, SAMPLED))
    assert sdk_bias.keep(5_000, EVERY, 3).tolist() == [n for n in range(5_000) if sampler.keep()]


def test_a_sampler_that_keeps_one_phase_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdk_bias, "keep", lambda events, every, seed: np.arange(seed % 2, events, every))
    sums, _ = sdk_bias.measure(events=10_000, seeds=20)
    assert all(each.deviation > 2 for each in sums)


def test_the_calls_keep_what_the_sampler_says() -> None:
    assert sdk_bias.count_through_calls() == (0, 0)


def test_few_calls_are_measured() -> None:
    found = sdk_calls.measure_inside(2, 200)
    assert found.nanoseconds.keys() == NS.keys()
    assert all(value > 0 for value in found.nanoseconds.values())
    assert 0 < found.shares["left out"] < 1


def test_requests_meet_every_set_and_few_fail() -> None:
    first = [plan_request(number) for number in range(2 * FAILS)]
    assert sorted(first) == list(range(2 * FAILS))
    later = Counter(plan_request(number) >= FAILS for number in range(2 * FAILS, 20_000))
    assert later[True] / later.total() == pytest.approx(1 / 200, rel=0.05)


@pytest.mark.parametrize(("profile", "requests", "latency"), [("Minimal", 4, 1), ("Debug", 64, 64)])
def test_the_server_meets_the_attribute_sets_of_the_bench(
    tmp_path: Path, profile: str, requests: int, latency: int
) -> None:
    write_built_in(tmp_path / "document", profile)
    telemetry = Telemetry(str(tmp_path / "document"), seed=1)
    function = Function(telemetry.event(EVENT))
    for number in range(2 * FAILS):
        function.serve(number)
    data = telemetry.collect()
    telemetry.shutdown()
    assert data is not None
    metrics = {m.name: m.data.data_points for s in data.resource_metrics[0].scope_metrics for m in s.metrics}
    assert len(metrics["presage.order.requests"]) == requests
    assert len(metrics["presage.order.latency"]) >= latency
    found = function.cost()
    assert found.requests == 2 * FAILS
    assert 0 < found.calls_ns < found.process_ns


def test_a_server_without_telemetry_measures_next_to_nothing() -> None:
    bare = Function(None)
    assert bare.serve(0).startswith(b'{"digest"')
    assert bare.cost().calls_ns < 1_000_000


def test_text_of_minimal_is_shorter(tmp_path: Path) -> None:
    assert sdk_text.measure("Minimal") * 20 < sdk_text.measure("Debug")
    write_sampled(tmp_path / "document")
    read = parse_document((tmp_path / "document").read_bytes())
    assert read.recording.default.metrics[SAMPLED].every_events == EVERY
