"""The forecast bench's table, what voids it, its page, and how it finds what it needs."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from e2e.bench import command, forecast, forecast_report, forecast_scorer, tool
from e2e.bench.forecast_report import Run, render_results, render_text, series_cells
from e2e.bench.forecast_rows import Costs, judge
from e2e.bench.forecast_scores import BASE, Row
from e2e.bench.judged import Bounds, Judged, show
from e2e.bench.page import marks, write_results
from e2e.bench.processes import BenchError

SERIES = {"calm": "seasonal", "wild": "bursty"}


def rows_of(method: str, mase: float, *, cover: float = 0.9, cpu: float = 1.0) -> list[Row]:
    sums = {"n": 10.0, "ae": mase, "mase": mase, "sumy": 10.0, "pb0.5": mase, "pb0.9": mase, "pb0.95": mase}
    sums |= {"cv0.9": cover, "cv0.95": cover + 0.05}
    return [Row(method, s, group, 300, 0, cpu, "", {"short": sums, "day": sums}) for s, group in SERIES.items()]


ROWS = [
    *rows_of(BASE, 1), *rows_of("spar", 0.8, cpu=100), *rows_of("full", 0.4, cpu=10), *rows_of("batch", 0.6, cover=0.5),
]  # fmt: skip
LOAD = Mock(
    series=1000, fits=20, fits_failed=1, loop_p99_s=0.03, loop_max_s=0.2, peak_added_bytes=2**20 * 400, worker_bytes=0
)
COSTS = Costs(0.5, 0.6, ROWS, {"day": 0.2, "hour": 0.1}, 0.0, LOAD)


def found() -> Run:
    return Run(judge(ROWS, COSTS), ROWS, {"machine": "a|b"})


def by_name() -> dict[str, Judged]:
    return {each.name: each for each in found().table}


@pytest.mark.parametrize(
    ("value", "must", "verdict"),
    [
        pytest.param(0.48, Bounds(most=0.48), "pass", id="just"),
        pytest.param(0.4801, Bounds(most=0.48), "falls short", id="by little"),
        pytest.param(0.94, Bounds(0.87, 0.93), "falls short", id="too wide"),
        pytest.param(0.86, Bounds(0.87, 0.93), "falls short", id="too narrow"),
        pytest.param(0.87, Bounds(0.87, 0.93), "pass", id="within"),
        pytest.param(math.nan, Bounds(most=1), "falls short", id="unknown"),
        pytest.param(9.0, None, "-", id="nothing asked"),
    ],
)
def test_verdicts(value: float, must: Bounds | None, verdict: str) -> None:
    assert Judged("x", value, must).verdict == verdict
    expected = {"pass": "reached", "falls short": "not reached", "-": "-"}[verdict]
    assert Judged("x", value, aim=must).aim_verdict == expected


def test_each_figure_is_judged_by_its_own_bounds() -> None:
    table = by_name()
    assert table["full tier, rel MASE, short"].verdict == "pass"
    assert table["batch tier, rel MASE, short"].verdict == "falls short"  # 0.6 where 0.57 is asked
    assert table["batch tier, coverage at 0.9, day"].verdict == "-"  # told, not judged
    assert table["full tier, coverage at 0.9, day"].verdict == "pass"
    assert table["full tier, coverage at 0.9, day, lowest"].aim_verdict == "reached"


def test_costs_are_those_of_the_rival_in_the_same_run() -> None:
    table = by_name()
    batch = table["batch tier, CPU a 5-min series of 21 days, of spar's p50"]
    assert (show(batch.value, batch.form), batch.verdict, batch.aim_verdict) == ("1/200", "pass", "not reached")
    assert table["full tier, CPU p95 of the 5-min series, of spar's p95"].value == pytest.approx(0.1)
    tick = table["advance, a series in a batch of 1,000"]
    assert (tick.value, tick.verdict) == (0.2, "falls short")


def test_the_operator_under_load_is_judged_by_loop_memory_and_lost_fits() -> None:
    table = by_name()
    loop, memory = table["operator's event-loop delay p99"], table["memory added at peak"]
    assert (loop.value, loop.verdict, loop.aim_verdict) == (pytest.approx(30), "pass", "not reached")
    assert (memory.value, memory.verdict) == (400, "falls short")
    assert table["fits and replays that gave nothing meanwhile"].verdict == "falls short"
    assert "memory added at peak" not in {each.name for each in judge(ROWS, replace(COSTS, load=None))}


def test_the_text_shows_value_bounds_and_verdict_of_each_row() -> None:
    text = render_text(found())
    line = next(line for line in text.splitlines() if line.startswith("full tier, rel MASE, short"))
    assert line.split()[5:] == ["0.4000", "≤", "0.48", "pass", "≤", "0.45", "reached"]
    assert "1/200" in text
    assert "≤ 1/130" in text
    assert "VOID" not in text


def test_a_fallback_voids_the_run() -> None:
    run = replace(found(), rows=[*ROWS, replace(ROWS[0], method="full", error="ValueError")])
    assert run.void == "full: ValueError ×1"
    assert "VOID" in render_text(run)
    assert "**This run is void**" in render_results(run)


def test_the_page_holds_peers_series_and_what_was_left_out() -> None:
    text = render_results(found())
    assert "| spar | 0.500 | 0.500–0.500 | better | 0.500 | 0.500–0.500 | better |" in text
    assert "| batch | 0.667 | 0.667–0.667 | better |" in text
    assert "| full, rel MASE, day | 0.400 | 0.400 (calm) | 0.400 (wild) |" in text
    assert "| wild | bursty | 0.400 | 0.400 | 0.900 | 0.950 | 0.600 | 0.600 | 0.500 | 0.550 |" in text
    assert "| machine | a\\|b |" in text


def test_the_worst_series_stands_first() -> None:
    better = [row for row in rows_of("full", 0.2) if row.series == "calm"]
    worse = [row for row in rows_of("full", 0.7) if row.series == "wild"]
    rows = [*better, *worse, *rows_of(BASE, 1), *rows_of("batch", 0.5)]
    assert [line[0] for line in series_cells(rows, "day")] == ["series", "wild", "calm"]


def test_results_replace_results_and_leave_words_alone(tmp_path: Path) -> None:
    page = tmp_path / "docs/page.md"
    write_results(page, "first")
    page.write_text(page.read_text() + "\nwords of a person\n")
    write_results(page, "second")
    text = page.read_text()
    assert "first" not in text
    begin, end = marks()
    assert text.index(begin) < text.index("second") < text.index(end) < text.index("words of a person")
    page.write_text("no marks")
    with pytest.raises(ValueError, match="has no marks"):
        write_results(page, "third")


def test_the_page_in_the_repository_can_be_written(tmp_path: Path) -> None:
    page = tmp_path / "forecast.md"
    page.write_text(forecast.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    write_results(page, "all new")
    assert "all new" in page.read_text(encoding="utf-8")


TABLE = "### {}\n| method | rel MASE | rel WQL |\n|---|---|---|\n| plugin | {} | 0.400 |\n| spar | 0.800 | 0.800 |\n\n"


def test_columns_that_differ_from_the_scorers_stop_the_bench() -> None:
    rows = [row for row in ROWS if row.method in ("full", "spar")] + rows_of(BASE, 1)
    rows = [row for row in rows if row.method != BASE] + [row for row in rows if row.method == BASE]
    base = "| snaive_day | 1.000 | 1.000 |\n\n"
    same = "".join(TABLE.format(span, "0.400").rstrip() + "\n" + base for span in ("short", "day"))
    forecast_scorer.check_columns(same, rows, "full")
    with pytest.raises(BenchError, match=r"rel MASE, short, of full: the scorer says 0\.41, the bench 0\.4000"):
        forecast_scorer.check_columns(same.replace("plugin | 0.400", "plugin | 0.410"), rows, "full")


def test_a_command_shows_no_folder_of_the_machine() -> None:
    argv = [command.ROOT.parent / "shared/x.py", "--plugin", command.ROOT / "e2e/p.py:full"]
    assert tool.render_command(argv) == "PYTHONPATH=operator python ../shared/x.py --plugin e2e/p.py:full"


@pytest.mark.parametrize("option", ["--scorer", "--traces"])
def test_what_is_missing_is_told_with_the_remedy(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.json").touch()
    options = {"--scorer": str(tmp_path / "manifest.json"), "--traces": str(tmp_path)} | {option: "nowhere"}
    assert forecast.main([word for pair in options.items() for word in pair]) == command.BAD_INPUT
    said = capsys.readouterr().err
    assert "nowhere" in said
    assert f"set PRESAGE_{option[2:].upper()} or {option}" in said


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        forecast.build_parser().parse_args(["--help"])
    assert "python -m e2e.bench.forecast --write" in capsys.readouterr().out


def test_both_tiers_are_named_as_the_rows_are() -> None:
    assert set(forecast_report.TIERS) <= {row.method for row in ROWS}
