"""The command on files: what it prints, what it warns of, how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.unit.cli.loads.samples import START, write
from tests.unit.cli.simulate.steps import TARGET, simulate, steps, write_steps

Captured = pytest.CaptureFixture[str]
RULES = ["presage", "HPA at 70 %", "schedule by the hour", "HPA over yesterday's need", "clairvoyant"]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five days; the last one ends at midnight."""
    return write_steps(tmp_path_factory.mktemp("load") / "steps.csv", 5)


def test_the_table(path: Path, capsys: Captured) -> None:
    assert simulate("--csv", path, *TARGET, "--last", "1d", "--unit", "req/s") == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0] == "steps: 2023-11-19 00:00 to 2023-11-20 00:00 (1 d), slots of 1 min, 0.0% missing"
    assert lines[1] == (
        "one pod serves 10 req/s and starts in 1 min, 1 to 30 replicas; objective 0.50 %; 4 d of history; times in UTC"
    )
    assert lines[3].split() == ["rule", "unmet", "under-provisioned", "replica-hours", "changes"]
    assert [line[:27].rstrip() for line in lines[4:9]] == RULES
    assert lines[-1].startswith("Against the HPA at 70 %, presage would have ")
    assert max(map(len, lines[:-1])) <= 120


def test_rules_that_were_not_asked_for_are_not_played(path: Path, capsys: Captured) -> None:
    options = ("--last", "1d", "--against", "cron,hpa", "--hpa-target", "80%", "--format", "json")
    assert simulate("--csv", path, *TARGET, *options) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["rules"]) == ["presage", "hpa", "cron"], "in their own order"
    assert found["hpaTarget"] == 0.8
    assert "HPA at 80 %" in found["summary"]


def test_without_the_hpa_nothing_is_said_of_it(path: Path, capsys: Captured) -> None:
    assert simulate("--csv", path, *TARGET, "--last", "6h", "--against", "clairvoyant") == 0
    assert "HPA" not in capsys.readouterr().out


@pytest.mark.parametrize(("limit", "code"), [("0.0001%", 1), ("100%", 0)])
def test_a_limit_on_what_is_unmet(path: Path, capsys: Captured, limit: str, code: int) -> None:
    few = ("--per-pod", 10, "--max", 17, "--last", "1d", "--against", "hpa")
    assert simulate("--csv", path, *few, "--fail-above-unmet", limit) == code
    told = capsys.readouterr().err
    assert ("above --fail-above-unmet < 0.001 %" in told) == bool(code)


def test_the_window_is_the_last_week_or_what_a_day_leaves(tmp_path: Path, capsys: Captured) -> None:
    coarse = ("--against", "clairvoyant", "--format", "json")
    for days, start in ((2, START + 86_400), (1.5, START + 86_400), (9, START + 2 * 86_400)):
        load = write_steps(tmp_path / "load.csv", days, 3_600)
        assert simulate("--csv", load, *TARGET, *coarse) == 0
        window = json.loads(capsys.readouterr().out)["window"]
        assert window["start"] == f"{np.datetime64(start, 's')}+00:00"


@pytest.mark.parametrize(
    ("days", "options", "message"),
    [
        pytest.param(1, (), "too short: 24.0 h of load, and 25.0 h are needed: give more history", id="a day alone"),
        pytest.param(
            2,
            ("--last", "2d"),
            "too short: 48.0 h of load, and 72.0 h are needed: the window and a day before it: give more history or a "
            "shorter --last",
            id="no history",
        ),
        pytest.param(2, ("--last", "10m"), "and 25.0 h are needed", id="a window of minutes"),
        pytest.param(2, ("--min", 31), "--min 31 is more than --max 30", id="limits"),
        pytest.param(2, ("--plot", "x.svg"), "--plot x.svg: its name must end in .png or .html", id="picture"),
        pytest.param(2, ("--query", "x"), "--query goes with --prometheus, not with --csv", id="query"),
        pytest.param(2, ("--value", "load"), ", row 1: the header is 'timestamp,value', where one", id="column"),
    ],
)
def test_bad_input_is_one_line(
    days: float, options: tuple[object, ...], message: str, tmp_path: Path, capsys: Captured
) -> None:
    assert simulate("--csv", write_steps(tmp_path / "load.csv", days), *TARGET, *options) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert printed.err.startswith("presage simulate: ")
    assert message in printed.err


def test_no_load_is_nothing_to_replay(tmp_path: Path, capsys: Captured) -> None:
    load = write(tmp_path / "load.csv", [(at, 0.0) for at, _ in steps(2)])
    assert simulate("--csv", load, *TARGET) == 2
    assert "there is no load in the time to replay" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--csv", "x", "--max", "3"], "the following arguments are required: --per-pod"),
        (["--csv", "x", "--per-pod", "5"], "the following arguments are required: --max"),
        (["--csv", "x", "--per-pod", "0"], "argument --per-pod: '0' must be above 0"),
        (["--csv", "x", "--per-pod", "much"], "argument --per-pod: 'much' is not a quantity"),
        (["--csv", "x", "--max", "0"], "argument --max: '0' is no whole number from 1 to 10000"),
        (["--csv", "x", "--min", "²"], "argument --min: '²' is no whole number from 1 to 10000"),
        (["--csv", "x", "--start-up", "2h"], "argument --start-up: '2h' is longer than 1h"),
        (["--csv", "x", "--objective", "0.005"], "argument --objective: '0.005' is no share: write one above 0"),
        (["--csv", "x", "--objective", "0%"], "argument --objective: '0%' is no share"),
        (["--csv", "x", "--hpa-target", "101%"], "argument --hpa-target: '101%' is no share"),
        (["--csv", "x", "--against", "hpa,keda"], "argument --against: 'keda' is no rule: write some of hpa,cron"),
        (["--csv", "x", "--resolution", "5s"], "argument --resolution: '5s' is finer than the 15s"),
    ],
)
def test_bad_usage_names_the_option(arguments: list[str], message: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        simulate(*arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_what_is_slow_is_told(path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    from presage.cli.loads import progress

    monkeypatch.setattr(progress, "PATIENCE_S", 0.0)
    monkeypatch.setattr(progress, "_LINE_EVERY_S", 0.0)
    assert simulate("--csv", path, *TARGET, "--last", "6h") == 0
    told = capsys.readouterr().err.splitlines()
    assert told[0].endswith("replaying 6 h")
    assert told[-1].endswith("replayed 5 of 5 rules")


def test_a_coarse_load_is_told_to_hide_what_lies_between(tmp_path: Path, capsys: Captured) -> None:
    load = write_steps(tmp_path / "load.csv", 4, 600)
    assert simulate("--csv", load, *TARGET, "--last", "1d", "--against", "clairvoyant") == 0
    assert "the load is known every 10 min only" in capsys.readouterr().err
