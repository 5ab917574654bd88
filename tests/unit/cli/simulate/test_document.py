"""The JSON of a replay: every field is described, every description is of a field, and none has gone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from presage.cli.simulate.document import FIELDS, SCHEMA_VERSION
from tests.unit.cli.loads.documents import TYPES, leaves, pattern, refuse
from tests.unit.cli.simulate.steps import TARGET, simulate, write_steps

RULES = ["presage", "hpa", "cron", "yesterday", "clairvoyant"]
GOLDEN = {
    "": "hpaTarget notPlayed objective rules saved schemaVersion series stepSeconds summary target tickSeconds "
    "timeZone warnings window",
    "window": "end missingSeconds seconds start",
    "target": "maxReplicas minReplicas perPod startUpSeconds",
    "rule": "changes leastReplicas mostReplicas replicaHours underProvisionedMinutes unmetLoad unmetShare",
    "saved": "replicaHours unmetShare",
}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = write_steps(tmp_path_factory.mktemp("load") / "load.csv", 3.5)
    options = ("--last", "12h", "--min", "2", "--start-up", "3m", "--objective", "1%", "--time-zone", "Europe/Berlin")
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr("builtins.print", lambda text, **_: printed.append(text))
        assert simulate("--csv", path, *TARGET, *options, "--format", "json", "--unit", "orders") == 0
    found: dict[str, Any] = json.loads(printed[-1], parse_constant=refuse)
    return found


def test_every_field_is_described_with_its_type(document: dict[str, Any]) -> None:
    rows = [(re.compile(pattern(path)), kind) for path, kind, _ in FIELDS]
    for path, value in leaves(document):
        kinds = [kind for expression, kind in rows if expression.fullmatch(path)]
        if isinstance(value, dict) and not kinds:
            continue  # what is in it is described
        assert kinds, f"{path} is not described"
        allowed = tuple(TYPES[name] for kind in kinds for name in kind.split(" or "))
        assert isinstance(value, allowed), f"{path}: {value!r} is no {kinds}"


def test_every_description_is_of_a_field(document: dict[str, Any]) -> None:
    paths = {path for path, _ in leaves(document)}
    absent = {"warnings[]", "notPlayed.RULE"}  # this load is clean
    for path, _, _ in FIELDS:
        assert path in absent or any(re.fullmatch(pattern(path), each) for each in paths), f"{path} is nowhere"


def test_no_field_has_gone(document: dict[str, Any]) -> None:
    found = {"": document, "window": document["window"], "target": document["target"]}
    found |= {"rule": document["rules"]["presage"], "saved": document["saved"]["hpa"]}
    assert SCHEMA_VERSION == document["schemaVersion"] == 1
    for name, want in GOLDEN.items():
        assert set(want.split()) <= found[name].keys(), name
    assert list(document["rules"]) == RULES
    assert list(document["saved"]) == RULES[1:]


def test_what_it_says(document: dict[str, Any]) -> None:
    assert document["target"] == {"perPod": 10, "startUpSeconds": 180, "minReplicas": 2, "maxReplicas": 30}
    assert (document["objective"], document["hpaTarget"]) == (0.01, 0.7)
    assert document["window"] == {
        "start": "2023-11-18T01:00:00+01:00",
        "end": "2023-11-18T13:00:00+01:00",
        "seconds": 43_200,
        "missingSeconds": 0,
    }
    own, hpa = document["rules"]["presage"], document["rules"]["hpa"]
    saved = document["saved"]["hpa"]
    assert saved["replicaHours"] == pytest.approx(hpa["replicaHours"] - own["replicaHours"])
    assert saved["unmetShare"] == pytest.approx(hpa["unmetShare"] - own["unmetShare"])
    assert hpa["unmetLoad"] > 0
    assert 2 <= hpa["leastReplicas"] < hpa["mostReplicas"] <= 30
    assert document["rules"]["clairvoyant"]["unmetShare"] <= 0.01


def test_what_was_not_played_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_steps(tmp_path / "load.csv", 2.5)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:100] + lines[400:]))  # no history of some hours
    options = ("--last", "1d", "--against", "cron", "--format", "json", "--from", "1700006400", "--to", "1700182800")
    assert simulate("--csv", path, *TARGET, *options) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["notPlayed"] == {"cron": "not every hour of the day is known from the history"}
    assert list(found["rules"]) == ["presage"]
