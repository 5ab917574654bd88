"""`presage forecast`: the operator's own forecast of one's own data, and the numbers of a live object."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from presage.cli import app
from presage.cli.forecast.document import FIELDS, build_document
from presage.cli.forecast.live import view_profile
from presage.cli.forecast.page import render_page
from presage.cli.forecast.png import draw
from presage.cli.forecast.text import render
from presage.core.forecast.api import Series, forecast_one
from tests.unit.cli.loads.samples import START, rows, write
from tests.unit.reconcile.fakes import make_world
from tests.unit.reconcile.looking import daily, look

Captured = pytest.CaptureFixture[str]


def forecast(*arguments: object) -> int:
    return app.run(app.parse(["forecast", *map(str, arguments)]))


async def live() -> dict[str, Any]:
    """Return a MetricProfile with the status that one decision leaves."""
    world = make_world()
    noise = np.random.default_rng(1).normal(1, 0.05, 2016).astype(np.float32)
    world.loads.values = daily(487.3) * noise
    decision = await look(world)
    conditions = [condition.to_json() for condition in decision.conditions]
    stored = world.objects.bodies[("MetricProfile", "team", "shop")]
    return {**stored, "status": {**decision.status, "conditions": conditions}}


def test_of_a_file_it_is_the_engines_own_forecast(tmp_path: Path, capsys: Captured) -> None:
    samples = rows(9)
    file = write(tmp_path / "load.csv", samples)
    assert forecast("--csv", file, "--horizon", "3h", "--quantile", "0.99", "--format", "json") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    document = json.loads(printed.out)
    series = Series(np.array([value for _, value in samples]), START, 300.0)
    wanted = forecast_one(series, 36, (0.5, 0.9, 0.95, 0.99), effort="full")
    assert len(document["points"]) == 36
    assert document["points"][0]["at"] == document["origin"] == "2023-11-24T00:00:00+00:00"
    for level, key in ((0.5, "p50"), (0.99, "p99")):
        got = [point[key] for point in document["points"]]
        np.testing.assert_allclose(got, wanted.quantiles[level], rtol=1e-5)
    assert document["forecast"]["tier"] == "full"
    assert document["trusted"]["reason"] == "BacktestPassed"


def test_of_a_file_as_a_table(tmp_path: Path, capsys: Captured) -> None:
    assert forecast("--csv", write(tmp_path / "load.csv", rows(9)), "--unit", "requests/s") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "load: load expected in requests/s, times in UTC"
    assert lines[1].startswith("trusted (BacktestPassed): ")
    assert lines[3].split() == ["from", "p50", "p90", "p95"]
    assert [line[:16] for line in lines[4:6]] == ["2023-11-24 00:00", "2023-11-24 02:00"]
    assert "each the highest of about 2 h; --format json has every slot" in lines
    assert max(map(len, lines)) <= 120


async def test_a_live_object_has_the_numbers_of_its_status() -> None:
    profile = await live()
    view = view_profile(profile, "")
    assert view is not None
    document = json.loads(json.dumps(build_document(view), allow_nan=False))
    status = profile["status"]
    assert [(p["p50"], p["p90"]) for p in document["points"]] == [
        (p["p50"], p["p90"]) for p in status["forecast"]["next"]
    ]
    assert document["forecast"] == status["forecast"]
    assert document["now"] == {"at": "2023-11-14T22:13:20+00:00", "load": 100.0}
    assert document["served"] == 100.0, "two replicas of 50"
    assert document["name"] == "team/shop"
    assert document["points"][0]["at"].startswith("2023-11-14T22:10:00")
    lines = render(view).splitlines()
    assert lines[1].startswith("trusted (BacktestPassed): ")
    assert len([line for line in lines if line.startswith("2023-11-14 ")]) == 12
    described = {path.partition(".")[0].removesuffix("[]") for path, _, _ in FIELDS}
    assert document.keys() == described


async def test_each_metric_has_its_own_forecast() -> None:
    profile = await live()
    status = profile["status"]
    assert view_profile(profile, "", "bytes") is None, "it has none"
    (load,) = status["scaling"]["decision"]["metrics"]
    volume = {**load, "name": "bytes", "perPod": 1e6, "reactive": {**load["reactive"], "load": 5e6}}
    decision = {**status["scaling"]["decision"], "metrics": [load, volume]}
    scaling = {**status["scaling"], "decision": decision}
    both = {**status, "scaling": scaling, "forecastBytes": {**status["forecast"], "leader": "week"}}
    view = view_profile({**profile, "status": both}, "", "bytes")
    assert view is not None
    assert (view.name, view.served, view.account["leader"]) == ("team/shop, bytes", 2e6, "week")
    assert view.now is not None
    assert view.now[1] == 5e6


async def test_without_a_forecast_there_is_no_view() -> None:
    profile = await live()
    assert view_profile({**profile, "status": {}}, "") is None


async def test_both_pictures_of_a_live_object(tmp_path: Path) -> None:
    view = view_profile(await live(), "<requests> & s")
    assert view is not None
    draw(view, tmp_path / "x.png")
    head = (tmp_path / "x.png").read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    assert struct.unpack(">II", head[16:24])[0] == 1_400
    page = render_page(view)
    assert page.count('class="now"') == 2, "in the chart and in the legend"
    assert "&lt;requests&gt; &amp; s" in page
    assert page.count("<tr>") == 13
    assert not [word for word in ("http://", "https://", "__") if word in page], "it needs no network, no mark is left"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "give an object such as mprof/checkout, or --csv FILE, or --prometheus URL"),
        (("mprof/x", "--csv", "x.csv"), "give an object, --csv or --prometheus: one of them"),
        (("mprof/x", "--step", "5m"), "--step goes with --csv or --prometheus"),
        (("mprof/x", "--from", "5d"), "--from goes with --csv or --prometheus"),
        (("mprof/x", "--quantile", "0.9"), "--quantile goes with --csv or --prometheus"),
        (("--csv", "x.csv", "-n", "team"), "-n goes with an object"),
        (("--csv", "x.csv", "--metric", "bytes"), "--metric goes with an object"),
        (("--csv", "x.csv", "--plot", "x.svg"), "its name must end in .png or .html"),
        (("--prometheus", "http://127.0.0.1:9"), "--prometheus needs --query"),
        (("--csv", "LOAD", "--season", "5m"), "a season of 5 min needs slots of half its length at most"),
        (("--csv", "LOAD", "--horizon", "52w"), "--horizon: "),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    arguments: tuple[str, ...], says: str, tmp_path: Path, capsys: Captured
) -> None:
    load = write(tmp_path / "load.csv", rows(2))
    assert forecast(*(load if each == "LOAD" else each for each in arguments)) == 2
    printed = capsys.readouterr()
    assert (printed.out, len(printed.err.splitlines())) == ("", 1)
    assert says in printed.err


@pytest.mark.parametrize("shape", [lambda x: 0.0, lambda x: 7.0, lambda x: float(x % 2)])
def test_odd_loads_are_drawn(shape: Callable[[int], float], tmp_path: Path, capsys: Captured) -> None:
    samples = [(START + 300 * i, shape(i)) for i in range(40)]
    for name in ("x.png", "x.html"):
        assert forecast("--csv", write(tmp_path / "load.csv", samples), "--plot", tmp_path / name) == 0
        assert (tmp_path / name).stat().st_size > 5_000
    printed: Mapping[str, str] = {"out": capsys.readouterr().out}
    assert "not trusted (ShortHistory)" in printed["out"]
