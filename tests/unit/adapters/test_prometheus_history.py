"""History: what is asked for again, what is kept, and what a wrong clock or a late sample leaves."""

from __future__ import annotations

import http.server
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from presage.adapters import prometheus, prometheus_answers
from presage.adapters.prometheus import PrometheusLoads
from presage.core.faults import SourceFault
from presage.core.history import to_grid
from presage.core.query import GaugeLoad, Selection
from presage.core.source_reading import History, Source
from tests.unit.adapters.metric_server import result


async def read(loads: PrometheusLoads, source: Source, step: int, span: float, now: float) -> History:
    (history,) = await loads.history(source, [Selection(GaugeLoad("q", ()))], step, span, now)
    return history


def ask_span(path: str) -> tuple[int, int]:
    asked = parse_qs(urlsplit(path).query)
    return int(asked["start"][0]), int(asked["end"][0])


class Recorded:
    """A source with a load of `value` at each slot end of 10 s up to `until`."""

    def __init__(self) -> None:
        self.value, self.until = 1, 10**9

    def __call__(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        first, last = ask_span(handler.path)
        values = [[t, str(self.value)] for t in range(first, min(last, self.until) + 1, 10)]
        result({"metric": {}, "values": values})(handler)


async def test_a_long_asker_and_a_short_one_do_not_cut_each_other(serve: Any, loads: PrometheusLoads) -> None:
    source, asked = serve(Recorded())
    for span in (40, 80, 40, 80):
        history = await read(loads, source, 10, span, 1000.0)
        np.testing.assert_array_equal(history.values, np.ones(span // 10, np.float32))
        assert history.start == 1000 - span
    assert len(asked) == 2


async def test_all_histories_together_are_bounded(
    serve: Any, loads: PrometheusLoads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edited profile leaves its old histories behind: with room for two, the one unused longest goes."""
    monkeypatch.setattr(prometheus, "_MAX_SLOTS", 16)
    source, _ = serve(Recorded())
    for name in ("a", "b", "a", "c", "a", "b"):  # c sends b away, and b then c
        (history,) = await loads.history(source, [Selection(GaugeLoad(name, ()))], 10, 80, 1000.0)
        np.testing.assert_array_equal(history.values, np.ones(8, np.float32))
        assert loads._slots_held == sum(len(stored.slots.values) for stored in loads._histories) <= 16
    assert len(loads._histories) == 2


async def test_late_samples_are_seen(serve: Any, loads: PrometheusLoads) -> None:
    recorded = Recorded()
    source, asked = serve(recorded)
    recorded.until = 980
    await read(loads, source, 10, 50, 1000.0)
    recorded.value, recorded.until = 2, 10**9
    history = await read(loads, source, 10, 50, 1010.0)
    np.testing.assert_array_equal(history.values, np.array([1, 2, 2, 2, 2], np.float32))
    assert len(asked) == 2


@pytest.mark.parametrize("ahead", [20, 50, 86_400])
async def test_a_clock_that_ran_ahead_leaves_no_trace(serve: Any, loads: PrometheusLoads, ahead: int) -> None:
    recorded = Recorded()
    source, _ = serve(recorded)
    recorded.until = 1000
    await read(loads, source, 10, 100, 1000.0)
    await read(loads, source, 10, 100, 1000.0 + ahead)
    recorded.until = 10**9
    for now in (1000.0, 1010.0, 1020.0, 1090.0):
        history = await read(loads, source, 10, 100, now)
        np.testing.assert_array_equal(history.values, np.ones(10, np.float32))
        assert history.start == now - 100


async def test_more_samples_than_asked_are_no_answer(serve: Any, loads: PrometheusLoads) -> None:
    samples = [[1000, "1"]] * 30
    with pytest.raises(SourceFault, match="BadAnswer"):
        await read(loads, serve(result({"metric": {}, "values": samples}))[0], 10, 40, 1000.0)


async def test_answers_are_read_off_the_event_loop(
    serve: Any, loads: PrometheusLoads, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def spy(*args: Any) -> Any:
        seen.append(threading.current_thread())
        return to_grid(*args)

    monkeypatch.setattr(prometheus_answers, "to_grid", spy)
    await read(loads, serve(Recorded())[0], 10, 40, 1000.0)
    assert seen
    assert threading.main_thread() not in seen


async def test_only_new_slots_are_fetched(serve: Any, loads: PrometheusLoads) -> None:
    def matrix(handler: http.server.BaseHTTPRequestHandler) -> None:
        result({"metric": {}, "values": [[990, "1"], [1000, "2"], [1010, "3"]]})(handler)

    source, asked = serve(matrix)
    first = await read(loads, source, 10, 40, 1000.0)
    again = await read(loads, source, 10, 40, 1009.0)
    later = await read(loads, source, 10, 40, 1010.0)
    np.testing.assert_array_equal(first.values, np.array([np.nan, np.nan, 1, 2], np.float32))
    np.testing.assert_array_equal(later.values, np.array([np.nan, 1, 2, 3], np.float32))
    assert (first.start, again.start, later.start) == (960, 960, 970)
    assert [ask_span(path) for path, _ in asked] == [(970, 1000), (980, 1010)]


async def test_a_source_made_anew_is_another_one(serve: Any, loads: PrometheusLoads) -> None:
    recorded = Recorded()
    recorded.value = 2
    old, new = serve(Recorded())[0], serve(recorded)[0]
    assert (old.name, old.generation) == (new.name, new.generation)
    assert (await read(loads, old, 10, 40, 1000.0)).values[0] == 1
    assert (await read(loads, new, 10, 40, 1000.0)).values[0] == 2
