"""The command on files: what it prints, what it warns of, how it ends."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.unit.cli.loads.samples import START, backtest, rows, write

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def fortnight(tmp_path: Path) -> Path:
    return write(tmp_path / "fortnight.csv", rows(14))


def test_the_table(fortnight: Path, capsys: Captured) -> None:
    assert backtest("--csv", fortnight) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    assert lines[0] == "fortnight: 2023-11-15 00:00 to 2023-11-29 00:00, 4032 slots, 0.0% missing"
    assert lines[1] == "8 origins, 1 d each, slots of 5 min, batch tier, times in UTC"
    assert lines[3].split() == ["span", "method", "MASE", "×", "yesterday", "WQL", "×", "yesterday", "cov90", "cov95"]
    assert lines[4].startswith("short, 1 h  presage             0.")
    assert lines[9].startswith("day, 1 d    presage             0.")
    assert lines[10].startswith("            yesterday's value  ")
    assert " 1.000 " in lines[10]
    assert sum("← worst" in line for line in lines) == 1
    assert "  seasons   1 h not used: " in printed.out
    assert "1 d used: it repeats" in printed.out
    assert "  shift     none found" in printed.out
    assert max(map(len, lines)) <= 120


def test_what_was_mended_is_told_once_each_and_changes_nothing(tmp_path: Path, capsys: Captured) -> None:
    samples = rows(6)
    assert backtest("--csv", write(tmp_path / "load.csv", samples), "--format", "json") == 0
    clean = json.loads(capsys.readouterr().out)
    mixed = [samples[i] for i in np.random.default_rng(1).permutation(len(samples))]
    again = [(START + 300, 1e6), (START + 600, 1e6), *mixed]
    assert backtest("--csv", write(tmp_path / "load.csv", again), "--format", "json") == 0
    printed = capsys.readouterr()
    mended = json.loads(printed.out)
    sorted_line, duplicates_line = printed.err.splitlines()
    assert sorted_line.endswith("rows came after one of a later time; they were sorted")
    assert duplicates_line == (
        f"presage backtest: warning: {tmp_path}/load.csv: 2 rows have the time of a later row, which counts"
    )
    assert len(mended.pop("warnings")) == 2
    assert clean.pop("warnings") == []
    assert mended == clean


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            ["--horizon", "1h"],
            "too short: 300 slots of 300 s, and 300 are needed: a day of history and the horizon",
            id="enough",
        ),
        pytest.param(
            [],
            "too short: 300 slots of 300 s, and 576 are needed: a day of history and the horizon: give more history",
            id="too short for a day",
        ),
        pytest.param(
            ["--horizon", "2h"],
            "too short: 300 slots of 300 s, and 312 are needed: a day of history and the horizon: give more history "
            "or a shorter --horizon",
            id="too short for two hours",
        ),
        pytest.param(
            ["--horizon", "2d"], "--horizon: the horizon of 576 slots must lie between one slot", id="two days"
        ),
        pytest.param(
            ["--season", "5m"], "a season of 5 min needs slots of half its length at most, not of 5 min", id="s"
        ),
        pytest.param(["--from", "2030-01-01"], "no row lies between --from and --to", id="nothing left"),
        pytest.param(["--counter", "--to", str(START + 1)], "needs two samples", id="half a counter"),
        pytest.param(["--query", "x"], "--query goes with --prometheus, not with --csv", id="query"),
        pytest.param(["--plot", "x.svg"], "--plot x.svg: its name must end in .png or .html", id="another picture"),
        pytest.param(["--plot", "no/x.png"], "--plot no/x.png: there is no folder no", id="no folder"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], message: str, tmp_path: Path, capsys: Captured) -> None:
    code = backtest("--csv", write(tmp_path / "load.csv", rows(300 / 288)), *arguments)
    printed = capsys.readouterr()
    if arguments == ["--horizon", "1h"]:  # the smallest that does
        assert code == 0
        return
    assert code == 2
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert printed.err.startswith("presage backtest: ")
    assert message in printed.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "one of the arguments --csv --prometheus is required"),
        (["--csv", "x", "--prometheus", "y"], "not allowed with argument --csv"),
        (["--csv", "x", "--step", "5 min"], "argument --step: '5 min' is not a duration: write one such as"),
        (["--csv", "x", "--origins", "0"], "argument --origins: '0' is no whole number from 1 to 200"),
        (["--csv", "x", "--quantile", "95"], "argument --quantile: '95' does not lie between 0 and 1"),
        (["--csv", "x", "--time-zone", "Mars"], "argument --time-zone: 'Mars' is no known time zone"),
        (["--csv", "x", "--time-zone", "../x"], "argument --time-zone: '../x' is no known time zone"),
        (["--csv", "x", "--from", "soon"], "argument --from: 'soon' is no moment: write one such as"),
        (["--csv", "x", "--fail-above", "nan"], "argument --fail-above: 'nan' is no number above 0"),
        (["--csv", "x", "--format", "xml"], "argument --format: invalid choice"),
    ],
)
def test_bad_usage(arguments: list[str], message: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        backtest(*arguments)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--prometheus", "http://x"], "--prometheus needs --query with the PromQL of the load"),
        (["--prometheus", "x", "--query", "y"], "--prometheus: 'x' is no address of a Prometheus"),
        (["--prometheus", "http://x", "--query", "y", "--counter"], "--counter goes with --csv"),
        (["--prometheus", "http://x", "--query", "y", "--from", "1h", "--to", "2h"], "--from must lie before --to"),
        (["--prometheus", "http://x", "--query", "y", "--token-file", "no"], "no: cannot be read: No such file"),
        (["--prometheus", "http://x", "--query", "y", "--ca", os.devnull], "/dev/null: no certificate in PEM form"),
    ],
)
def test_bad_usage_of_a_source(arguments: list[str], message: str, capsys: Captured) -> None:
    assert backtest(*arguments) == 2
    assert message in capsys.readouterr().err


def test_a_source_that_is_away_is_3(capsys: Captured) -> None:
    assert backtest("--prometheus", "http://127.0.0.1:9", "--query", "x") == 3
    assert "http://127.0.0.1:9: no connection: check --prometheus" in capsys.readouterr().err


def test_a_threshold_missed_is_1(fortnight: Path, capsys: Captured) -> None:
    assert backtest("--csv", fortnight, "--fail-above", "0.999") == 0
    assert capsys.readouterr().err == ""
    assert backtest("--csv", fortnight, "--fail-above", "0.01") == 1
    printed = capsys.readouterr()
    assert "short, 1 h: error 0." in printed.err
    assert "× yesterday's, above --fail-above 0.01" in printed.err
    assert printed.out.startswith("fortnight: "), "the table is there all the same"


def test_a_plot_that_cannot_be_written_is_1(fortnight: Path, capsys: Captured) -> None:
    for name in ("/dev/full/x.png", "/proc/x.html", "/proc/x.png"):
        code = backtest("--csv", fortnight, "--plot", name)
        assert code == (2 if name.startswith("/dev/full") else 1)
        assert f"presage backtest: --plot {name}: " in capsys.readouterr().err


def test_a_counter_with_a_reset_becomes_its_rate(tmp_path: Path, capsys: Captured) -> None:
    total, samples = 0.0, []
    for at, rate in rows(6, 60, 0.0):
        samples.append((at + at % 7, total))
        total = 0.0 if at == START + 86_400 * 2 else total + rate * 60
    write(tmp_path / "total.csv", samples)
    assert backtest("--csv", tmp_path / "total.csv", "--counter", "--format", "json") == 0
    counter = json.loads(capsys.readouterr().out)
    assert (counter["series"]["unit"], counter["series"]["stepSeconds"]) == ("per second", 300)
    assert counter["spans"]["day"]["presage"]["mase"] < 5, "no jump of the counter was taken for load"
    assert counter["series"]["missingSlots"] == 0


def test_time_zone_seasons_and_a_compressed_day(tmp_path: Path, capsys: Captured) -> None:
    samples = [(START + i * 5, value) for i, (_, value) in enumerate(rows(10))]
    write(tmp_path / "demo.csv", samples)
    assert backtest("--csv", tmp_path / "demo.csv", "--season", "24m", "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["series"]["stepSeconds"] == 15
    assert found["spanSeconds"] == {"short": 90, "day": 1_440}
    write(tmp_path / "load.csv", rows(5))
    assert backtest("--csv", tmp_path / "load.csv", "--time-zone", "Asia/Kolkata", "--origins", "1") == 0
    assert "2023-11-15 05:30 to 2023-11-20 05:30" in capsys.readouterr().out


def test_from_and_to_cut_the_file(tmp_path: Path, capsys: Captured) -> None:
    write(tmp_path / "load.csv", rows(14))
    cut = ["--from", "2023-11-16", "--to", str(START + 86_400 * 8)]
    assert backtest("--csv", tmp_path / "load.csv", *cut, "--format", "json") == 0
    series = json.loads(capsys.readouterr().out)["series"]
    assert (series["start"], series["end"]) == ("2023-11-16T00:00:00+00:00", "2023-11-23T00:00:00+00:00")


def test_a_hole_before_every_origin_is_bad_input(tmp_path: Path, capsys: Captured) -> None:
    path = write(tmp_path / "load.csv", [*rows(2), (START + 41 * 86_400, 5.0)])
    assert backtest("--csv", path) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == (
        "",
        f"presage backtest: {path}: no forecast can be scored: nothing is known in the weeks before any origin, or "
        "after it: begin after the hole by --from, or end before it by --to\n",
    )


def test_what_is_slow_is_told(fortnight: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    from presage.cli.loads import progress

    monkeypatch.setattr(progress, "PATIENCE_S", 0.0)
    assert backtest("--csv", fortnight) == 0
    assert capsys.readouterr().err.splitlines()[0].endswith("forecasting from 8 origins"), "one line in a log"
    told: list[str] = []

    class Terminal:
        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> None:
            told.append(text)

        def flush(self) -> None:
            """Nothing is held back."""

    monkeypatch.setattr(sys, "stderr", Terminal())
    assert backtest("--csv", fortnight) == 0
    assert told[0] == "\r\x1b[Kforecasting from 8 origins"
    assert told[-1] == "\r\x1b[K", "the line is wiped at the end"
