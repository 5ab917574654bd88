"""The JSON of a backtest: every field is described, every description is of a field, and none has gone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from presage.cli.backtest.document import FIELDS, SCHEMA_VERSION
from tests.unit.cli.loads.documents import TYPES, leaves, pattern, refuse
from tests.unit.cli.loads.samples import backtest, rows, write

METHODS = {"presage", "yesterday", "lastWeek", "lastValue"}
GOLDEN = {
    "": "effort horizonSeconds origins schemaVersion series spanSeconds spans timeZone warnings worstOrigin",
    "series": "end missingSlots name samples slots source start stepSeconds unit",
    "score": "cov50 cov90 cov95 mase relMase relWql slots wql",
    "origin": "at bucketLoss coverage historyRung naiveLoss seasonTests seasonsSeconds shiftAt spans warnings weights",
    "season": "correlation loss reason rival seasonSeconds used",
}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = write(tmp_path_factory.mktemp("load") / "load.csv", rows(9))
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr("builtins.print", lambda text, **_: printed.append(text))
        assert backtest("--csv", path, "--format", "json", "--origins", "3", "--unit", "orders") == 0
    found: dict[str, Any] = json.loads(printed[0], parse_constant=refuse)
    return found


def test_every_field_is_described_with_its_type(document: dict[str, Any]) -> None:
    rows = [(re.compile(pattern(path)), kind) for path, kind, _ in FIELDS]
    for path, value in leaves(document):
        kinds = [kind for expression, kind in rows if expression.fullmatch(path)]
        if isinstance(value, dict) and not kinds:
            continue  # what is in it is described
        assert kinds or path.startswith("origins[].spans"), f"{path} is not described"
        allowed = tuple(TYPES[name] for kind in kinds for name in kind.split(" or "))
        assert not kinds or isinstance(value, allowed), f"{path}: {value!r} is no {kinds}"


def test_every_description_is_of_a_field(document: dict[str, Any]) -> None:
    paths = {path for path, _ in leaves(document)}
    absent = {"origins[].warnings[]", "warnings[]"}  # this load is clean
    for path, _, _ in FIELDS:
        assert path in absent or any(re.fullmatch(pattern(path), each) for each in paths), f"{path} is nowhere"


def test_no_field_has_gone(document: dict[str, Any]) -> None:
    score, origin = document["spans"]["day"]["presage"], document["origins"][0]
    found = {"": document, "series": document["series"], "score": score, "origin": origin}
    found["season"] = origin["seasonTests"][0]
    assert SCHEMA_VERSION == document["schemaVersion"] == 1
    for name, want in GOLDEN.items():
        assert set(want.split()) <= found[name].keys(), name
    assert document["spans"].keys() == {"short", "day"}
    for spans in (document["spans"], *(each["spans"] for each in document["origins"])):
        assert spans["short"].keys() == spans["day"].keys() == METHODS


def test_what_it_says(document: dict[str, Any]) -> None:
    assert document["series"] | {"source": ""} == {
        "name": "load",
        "source": "",
        "unit": "orders",
        "start": "2023-11-15T00:00:00+00:00",
        "end": "2023-11-24T00:00:00+00:00",
        "stepSeconds": 300,
        "slots": 2_592,
        "missingSlots": 0,
        "samples": 2_592,
    }
    assert document["spans"]["day"]["yesterday"]["relMase"] == 1
    assert document["spans"]["day"]["presage"]["slots"] == 3 * 288
    assert len(document["origins"]) == 3
    assert document["worstOrigin"] in [origin["at"] for origin in document["origins"]]
    for origin in document["origins"]:
        assert sum(origin["weights"].values()) == pytest.approx(1)
        assert origin["weights"].keys() <= origin["bucketLoss"].keys() | origin["naiveLoss"].keys()
        assert 86_400 in origin["seasonsSeconds"]


def test_a_span_that_is_not_scored_is_null(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "load.csv", rows(3))
    assert backtest("--csv", path, "--format", "json", "--horizon", "1h", "--quantile", "0.99") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["spans"]["day"] is None
    assert found["spanSeconds"] == {"short": 3_600}
    assert "cov99" in found["spans"]["short"]["presage"]
