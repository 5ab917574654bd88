"""The live scaling bench's verdicts and table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from e2e.bench import command, scaling_live
from e2e.bench.judged import Judged
from e2e.bench.page import write_results
from e2e.bench.scaling_live_rows import NOISE, REPEATING, LiveDay, day_cells, judge_days
from e2e.demo.accounting import Account, Fleet, Rises
from e2e.demo.record import Counts, RunRecord
from e2e.demo.report import Summary

NOBODY = Fleet(((0.0, 1),), ())
SENT = (40, 60)  # 1.25 pods of 40/s on average: 30 replica-hours are filled
COUNTS = Counts(SENT, (0, 0), (0, 0), (0, 0), (0, 0))
RECORD = RunRecord("steps", 0.0, 240, 14, 40.0, 2.5, 0.8, COUNTS, NOBODY, NOBODY)


def own(unmet: float, hours: float) -> Account:
    return Account(unmet, 0.1, hours, 7, Rises(0, 1.0, 0.0))


def day(kind: str, presage: Account, rival: Account | None = None, repeats: int = 0) -> LiveDay:
    curve = {0.3: own(0.001, 90), 0.6: own(0.02, 50), 0.8: own(0.05, 36)}
    return LiveDay(kind, Summary(RECORD, presage, rival or curve[0.8]), curve, repeats)


def judged(found: LiveDay) -> dict[str, Judged]:
    return {each.name.partition(": ")[2].split(" ")[0]: each for each in judge_days([found])}


@pytest.mark.parametrize(
    ("presage", "unmet", "over"),
    [
        pytest.param(own(0.005, 39), "pass", "pass", id="a tenth, ten points more"),
        pytest.param(own(0.0051, 39), "falls short", "pass", id="over a tenth"),
        pytest.param(own(0.005, 39.1), "pass", "falls short", id="over ten points"),
        pytest.param(own(0.0, 30), "pass", "pass", id="all served, nothing spare"),
    ],
)
def test_a_repeating_load(presage: Account, unmet: str, over: str) -> None:
    table = judged(day(REPEATING, presage))
    assert table["unmet"].verdict == unmet
    assert table["over-provisioning"].verdict == over


def test_a_load_that_challenges_nobody_proves_nothing() -> None:
    assert judged(day(REPEATING, own(0.0, 30), own(0.0, 36)))["unmet"].verdict == "falls short"


@pytest.mark.parametrize(
    ("presage", "ratio"),
    [
        pytest.param(own(0.02, 50), 1.0, id="on the curve"),
        pytest.param(own(0.035, 40), 40 / 43, id="below it, between two targets"),
        pytest.param(own(0.0, 99), 1.1, id="less unmet than any target, and dearer than all"),
    ],
)
def test_noise_is_judged_by_the_curve(presage: Account, ratio: float) -> None:
    row = judged(day(NOISE, presage))["replica-hours"]
    assert row.value == pytest.approx(ratio)
    assert row.verdict == ("pass" if ratio <= 1 else "falls short")


def test_a_write_that_changes_nothing_falls_short() -> None:
    assert judged(day(NOISE, own(0.02, 50)))["writes"].verdict == "pass"
    assert judged(day(NOISE, own(0.02, 50), repeats=1))["writes"].verdict == "falls short"


def test_the_table_holds_presage_and_each_target() -> None:
    _, presage, *rules = day_cells([day(NOISE, own(0.02, 45))])
    assert presage == ("steps", NOISE, "presage", "2.000%", "10.0%", "45.0", "50%", "7")
    assert [each[2] for each in rules] == ["HPA rule at 30%", "HPA rule at 60%", "HPA rule at 80%"]


def test_the_stage_is_told() -> None:
    longer = replace(RECORD, history_days=9)
    found = replace(day(NOISE, own(0, 1)), summary=Summary(longer, own(0, 1), own(0, 1)))
    assert scaling_live.describe_stage([found]) == (
        "a day in 240 s after 9 days of history, a pod serves 40/s and starts in 2.5 s"
    )


@pytest.mark.parametrize(
    "given", [["--only", NOISE, "--noise", "nowhere"], ["--day-seconds", "10"]], ids=["no trace", "too short a day"]
)
def test_bad_input_is_told_before_anything_starts(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert scaling_live.main(["--traces", "nowhere", *given]) == command.BAD_INPUT
    said = capsys.readouterr().err
    assert "nowhere" in said or "240 to 720" in said


def test_the_page_has_a_place_for_them(tmp_path: Path) -> None:
    page = tmp_path / "scaling.md"
    page.write_text(scaling_live.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    write_results(page, "all new", scaling_live.PLACE)
    assert "all new" in page.read_text(encoding="utf-8")
