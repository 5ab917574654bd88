"""Both pictures: that all marks are there. How they look must be seen by a person."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from presage.cli.drawing import axes
from presage.cli.simulate.picture import COLOURS, find_spells
from tests.unit.cli.loads.pages import Page
from tests.unit.cli.loads.samples import write
from tests.unit.cli.simulate.steps import TARGET, simulate, steps, write_steps

GAP = float("nan")


def test_the_page_holds_every_mark(tmp_path: Path) -> None:
    path = write_steps(tmp_path / "<b> & load.csv", 3.5)
    options = ("--last", "1d", "--unit", "orders/s", "--plot", tmp_path / "x.html")
    assert simulate("--csv", path, *TARGET, *options) == 0
    text = (tmp_path / "x.html").read_text()
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == [], "every element is closed"
    assert page.count["figure"] == 5 + 1, "one a rule, and the replicas"
    assert page.count["svg"] == 2 * 6 + 7, "from far and near, and in the legend"
    for rule in COLOURS:
        assert page.count[f".{rule}"] >= 2 + 2 + 1 + 1, "from far and near, load and replicas, legend and title"
    assert page.count[".mark"] == 10
    assert page.links == [], "nothing is fetched"
    assert not re.search(r"https?://(?!www\.w3\.org)", text)
    assert "__" not in re.sub(r"<script.*", "", text, flags=re.DOTALL)
    assert "<b> & load" in page.text, "a name is text"
    assert "orders/s" in page.text
    assert "from near, 18 Nov: where HPA at 70 % left most unmet" in page.text
    assert "Against the HPA at 70 %, presage would have " in page.text
    data = json.loads(re.findall(r'<script id="data" type="application/json">(.*?)</script>', text)[0])
    assert len(data["times"]) == len(data["load"]) == len(data["rules"][0]["ready"]) == 640
    assert max(unmet for unmet in data["rules"][1]["unmet"]) > 0
    assert len(text) < 1_000_000


def test_the_png_shows_each_rule_and_what_was_not_served(tmp_path: Path) -> None:
    path = write_steps(tmp_path / "load.csv", 3.5)
    missed = []
    for most in (30, 14):
        plot = ("--last", "1d", "--plot", tmp_path / "x.png")
        assert simulate("--csv", path, "--per-pod", 10, "--max", most, *plot) == 0
        with Image.open(tmp_path / "x.png") as image:
            assert image.size == (1_400, 1_445)
            colours = {colour: count for count, colour in image.convert("RGB").getcolors(2**20) or []}
        missed.append(colours.get(ImageColor.getrgb(axes.MISS), 0))
        for rule, colour in COLOURS.items():
            assert colours.get(ImageColor.getrgb(colour), 0) > 300, rule
    assert missed[1] > 1.5 * missed[0] > 0


@pytest.mark.parametrize("ending", ["png", "html"])
@pytest.mark.parametrize("values", [[1e-9, 2e-9], [1e12], [GAP, 5.0, 700.0]], ids=["tiny", "huge", "gaps"])
def test_odd_loads_are_drawn(values: list[float], ending: str, tmp_path: Path) -> None:
    rows = [(at, value) for (at, _), value in zip(steps(2), values * 2_880, strict=False) if value is not GAP]
    path = write(tmp_path / "load.csv", rows)
    options = ("--plot", tmp_path / f"x.{ending}", "--time-zone", "Pacific/Chatham", "--last", "3h")
    assert simulate("--csv", path, *TARGET, *options) == 0
    assert (tmp_path / f"x.{ending}").stat().st_size > 10_000


def test_a_picture_that_cannot_be_written_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_steps(tmp_path / "load.csv", 2)
    full = Path("/dev/full")
    link = tmp_path / "x.html"
    link.symlink_to(full)
    assert simulate("--csv", path, *TARGET, "--last", "3h", "--plot", link) == 1
    assert "cannot be written: No space left on device" in capsys.readouterr().err


def test_times_with_unmet_load() -> None:
    assert find_spells(np.array([1.0, 0, 0, 2, 3, 0, 1])).tolist() == [[0, 1], [3, 5], [6, 7]]
    assert find_spells(np.zeros(4)).tolist() == []
