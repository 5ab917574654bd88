"""`presage retention render`: what is taken from where, what is written, and each exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from presage.__main__ import main
from tests.unit.resources import cases, source_cases

TIERS = {"retention": source_cases.TIERS}
LEVELS = [{"profile": "Minimal"}, {"profile": "Debug", "above": "200"}]
DETAILED = cases.profile(cases.load(cases.COUNTER, levels=LEVELS))
"""Records Minimal (15d) and Debug (2h)."""
VICTORIA = ["--backend", "VictoriaMetrics", "--tiers", "1d=http://a:1,52w"]


def write(folder: Path, *documents: dict[str, Any]) -> Path:
    file = folder / "objects.yaml"
    file.write_text(yaml.safe_dump_all(documents))
    return file


def render(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[Any], str]:
    code = main(["retention", "render", *map(str, arguments)])
    said = capsys.readouterr()
    return code, list(yaml.safe_load_all(said.out)), said.err


def test_a_source_in_a_file_says_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, source_cases.source(TIERS), {"kind": "Secret"})
    code, found, _ = render(capsys, "-f", file)
    assert code == 0
    assert [sorted(each) if isinstance(each, dict) else each for each in found] == [
        ["scrape_configs"],
        ["--storage.tsdb.retention.time=2h"],
        ["scrape_configs"],
        ["--storage.tsdb.retention.time=15d"],
        [{"source_labels": ["presage_retention"], "regex": ".+", "action": "drop"}],
    ]


def test_files_are_written_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, said = render(capsys, *VICTORIA, "-o", tmp_path / "out")
    assert code == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [
        "victoria-metrics-1d.args.yml",
        "victoria-metrics-52w.args.yml",
        "vmagent-relabel-1d.yml",
        "vmagent-relabel-52w.yml",
        "vmagent-scrape.yml",
        "vmagent.args.yml",
    ]
    assert [line.split("/")[-1] for line in said.splitlines()] != []
    arguments = yaml.safe_load((tmp_path / "out/vmagent.args.yml").read_text())
    assert "-remoteWrite.url=http://a:1/api/v1/write" in arguments
    assert "-remoteWrite.url=http://victoria-metrics-52w:8428/api/v1/write" in arguments, "a name to be replaced"


def test_a_profile_leaves_the_tiers_that_it_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiers = [source_cases.tier(name) for name in ("2h", "15d", "400d")]
    offered = source_cases.source({"retention": {"backend": "Prometheus", "tiers": tiers}})
    code, found, said = render(capsys, "-f", write(tmp_path, offered, DETAILED))
    assert (code, said) == (0, "")
    arguments = [each[0] for each in found if isinstance(each, list) and isinstance(each[0], str)]
    assert arguments == ["--storage.tsdb.retention.time=2h", "--storage.tsdb.retention.time=15d"]


def test_a_tier_without_a_server_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    offered = source_cases.source({"retention": {"backend": "Prometheus", "tiers": [source_cases.tier("15d")]}})
    code, found, said = render(capsys, "-f", write(tmp_path, offered, DETAILED))
    assert code == 1
    assert len(found) == 3, "the rest is rendered"
    assert said == "presage retention render: no server for 2h\n"


def test_a_profile_alone_needs_a_back_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path, DETAILED)
    assert render(capsys, "-f", file)[0] == 2
    code, found, _ = render(capsys, "-f", file, "--backend", "Prometheus")
    assert (code, len(found)) == (0, 5), "2h, 15d, and what other jobs need"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param([], 2, "nothing says which back end", id="nothing"),
        pytest.param(["--backend", "Prometheus"], 2, "--backend needs tiers", id="no tiers"),
        pytest.param(["--backend", "Prometheus", "--tiers", "long"], 2, "is not a tier", id="no duration"),
        pytest.param(["--backend", "Prometheus", "--tiers", "2h,2h"], 2, "names a tier twice", id="twice"),
        pytest.param(["--backend", "VictoriaMetrics", "--tiers", "2h"], 2, "a day at least", id="hours"),
        pytest.param([*VICTORIA, "--default-tier", "2d"], 2, "none of the tiers", id="default"),
        pytest.param([*VICTORIA, "--interval", "soon"], 2, "--interval", id="interval"),
        pytest.param(["-f", "/absent.yaml"], 2, "cannot be read", id="no file"),
        pytest.param([*VICTORIA, "-o", "/proc/no"], 2, "cannot write", id="no folder"),
    ],
)
def test_bad_input(arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    got, found, said = render(capsys, *arguments)
    assert (got, found) == (code, [])
    assert says in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        pytest.param({}, 1, "has no spec.retention", id="no block"),
        pytest.param({"retention": {"backend": "Other"}}, 1, "BackendSingleRetention", id="one retention"),
        pytest.param({"retention": {"backend": "Prometheus"}}, 2, "has an invalid spec", id="invalid"),
    ],
)
def test_sources_that_give_nothing(
    changes: dict[str, Any], code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    got, found, said = render(capsys, "-f", write(tmp_path, source_cases.source(changes)))
    assert (got, found) == (code, [])
    assert says in said


@pytest.mark.parametrize("content", ["{", "[]", "kind: Secret", "\0"])
def test_files_without_an_object(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.yaml").write_text(content)
    assert render(capsys, "-f", tmp_path / "x.yaml")[0] == 2
