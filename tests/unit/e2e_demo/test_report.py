from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e.demo.__main__ import main, write_results
from e2e.demo.accounting import Fleet, PodLife
from e2e.demo.page import render_page
from e2e.demo.record import Counts, Decision, ForecastSample, OperatorUse, RunRecord, read_record
from e2e.demo.report import build_document, render_markdown, render_text, summarize
from tests.unit.e2e_demo.test_recording import day

START = 1000.0
SECONDS = 120


def record() -> RunRecord:
    zero = (0,) * SECONDS
    return RunRecord(
        trace="steps",
        start=START,
        day_seconds=SECONDS,
        history_days=5,
        capacity=40.0,
        startup_seconds=4.0,
        rival_utilization=0.7,
        counts=Counts(
            sent=(30,) * 60 + (70,) * 60,
            rejected=(0,) * 60 + (3,) * 10 + (0,) * 50,
            late=zero,
            failed=zero,
            behind=zero,
        ),
        presage=Fleet(((START - 9, 1), (START + 54, 2)), (PodLife(START - 9), PodLife(START + 59))),
        rival=Fleet(((START, 1), (START + 64, 3)), (PodLife(0), PodLife(START + 68), PodLife(START + 68))),
        forecast=(ForecastSample(START + 10, 30.0, 35.0), ForecastSample(START + 70, 68.0, 75.0)),
        decisions=(Decision(START - 9, 1, "1 replica"), Decision(START + 54, 2, "2 replicas (Forecast): </script>&")),
        operator=OperatorUse(200 * 2**20, 0.12, 0),
        machine_busy_share=0.5,
    )


def test_figures_of_both() -> None:
    got = summarize(record())
    assert got.presage.unmet_share == 0
    assert got.rival.unmet_share == pytest.approx(30 * 8 / 6000)
    assert got.counted_gap == pytest.approx(30 / 6000)
    assert got.presage.replica_hours == pytest.approx(24 * (54 + 66 * 2) / 120)
    assert got.unmet_ratio == 0
    assert got.presage.rises.lead_seconds >= 0 > got.rival.rises.lead_seconds


def test_a_rival_without_misses_is_not_divided_by() -> None:
    ready = replace(record(), rival=Fleet(((START, 2),), (PodLife(0), PodLife(0))))
    assert summarize(ready).unmet_ratio == 0
    late = replace(ready, presage=Fleet(((START, 1),), (PodLife(0),)))
    assert summarize(late).unmet_ratio == float("inf")


def test_a_record_survives_the_file(tmp_path: Path) -> None:
    record().write(tmp_path / "run.json")
    assert read_record(tmp_path / "run.json") == record()


def test_table_says_what_matters() -> None:
    text = render_text(summarize(record()))
    assert "4.00 %" in text
    assert "HPA rule at 70 %" in text
    assert "200 MiB" in text
    lines = render_markdown(summarize(record())).splitlines()
    assert lines[1] == "|---|---:|---:|"
    assert all(line.count("|") == 4 for line in lines[:8])


def test_json_has_both_and_a_version() -> None:
    document = json.loads(json.dumps(build_document(summarize(record()))))
    assert document["schemaVersion"] == 1
    assert document["hpa"]["unmet_share"] > document["presage"]["unmet_share"]


def test_results_are_written_and_drawn_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_results(record(), tmp_path)
    picture = (tmp_path / "demo.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    (tmp_path / "demo.png").unlink()
    assert main(["plot", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "demo.png").exists()
    assert "replica-hours" in capsys.readouterr().out


BAD = {
    "no run": (["plot", "--out", "nowhere"], "no run to draw"),
    "a day too short": (["run", "--day-seconds", "10"], "--day-seconds must be from"),
    "no history": (["run", "--history-days", "1"], "--history-days"),
    "no such trace": (["run", "--trace", "absent.csv"], "absent.csv"),
}


@pytest.mark.parametrize(("arguments", "want"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line_and_code_2(
    arguments: list[str], want: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    shown = capsys.readouterr().err.strip()
    assert want in shown
    assert "\n" not in shown
    assert shown.startswith("error: ")


def read_page_data(page: str) -> dict[str, Any]:
    body = page.split('<script id="data" type="application/json">')[1].split("</script>")[0]
    found: dict[str, Any] = json.loads(body)
    return found


def test_the_page_needs_no_network_and_holds_the_run() -> None:
    page = render_page(summarize(record()))
    assert "https:" not in page
    assert "http:" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "__" not in page
    assert len(page) < 100_000
    assert "presage left 0.0 % of the requests unserved" in page
    assert "<td>load not served (load above ready capacity)</td><td>0.00 %</td><td>4.00 %</td>" in page
    data = read_page_data(page)
    assert data["load"] == [30] * 60 + [70] * 60
    assert data["rival"]["unmet"][60] == 30
    assert data["rival"]["unmet"][70] == 0
    assert data["forecast"][0] == [10, 30, 35]


def test_the_page_says_why_and_takes_no_markup_from_the_cluster() -> None:
    decisions = read_page_data(render_page(summarize(record())))["decisions"]
    assert decisions == [[-9, 1, 1, "1 replica"], [54, 2, 1, "2 replicas (Forecast): </script>&"]]
    strange = render_page(summarize(replace(record(), trace="<img src=x>")))
    assert "<img" not in strange


def test_a_record_of_before_decisions_were_kept_can_be_read(tmp_path: Path) -> None:
    record().write(tmp_path / "run.json")
    document = json.loads((tmp_path / "run.json").read_text())
    del document["decisions"]
    (tmp_path / "run.json").write_text(json.dumps(document))
    assert read_record(tmp_path / "run.json") == replace(record(), decisions=())


def test_what_was_recorded_survives_the_file_and_is_told_and_drawn(tmp_path: Path) -> None:
    seen = replace(record(), recorded=day())
    summary = write_results(seen, tmp_path)
    assert read_record(tmp_path / "run.json") == seen
    assert "always the most" in (tmp_path / "summary.txt").read_text()
    assert "CPU of telemetry" in (tmp_path / "demo.html").read_text()
    lines = render_markdown(summary).splitlines()
    assert lines.count("|---|---:|---:|") == 2
    document = json.loads((tmp_path / "summary.json").read_text())
    assert document["recording"]["shares"] == {"Minimal": 0.5, "Standard": 0.0, "Debug": 0.5}


def test_a_record_of_before_recording_was_watched_can_be_read_and_drawn(tmp_path: Path) -> None:
    record().write(tmp_path / "run.json")
    document = json.loads((tmp_path / "run.json").read_text())
    del document["recorded"]
    (tmp_path / "run.json").write_text(json.dumps(document))
    assert read_record(tmp_path / "run.json") == record()
    summary = write_results(record(), tmp_path)
    assert summary.recording is None
    assert "what was recorded" not in render_text(summary)
