"""The alert rules: promtool's own check of them, and its unit tests of each."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.cluster import ensure_binary

HERE = Path(__file__).parent
RULES = HERE.parents[1] / "charts" / "presage" / "files" / "alerts.yaml"
TESTS = HERE / "alerts_test.yaml"


def promtool(*words: str) -> None:
    argv = [str(ensure_binary("promtool")), *words]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_are_sound() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", str(RULES))


def test_each_alert_fires_when_it_must_and_only_then() -> None:
    promtool("test", "rules", str(TESTS))


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: str(alert["alert"]))
def test_alert_is_complete(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert alert["annotations"].keys() == {"summary", "description"}
    cases = [
        case["exp_alerts"]
        for test in yaml.safe_load(TESTS.read_text(encoding="utf-8"))["tests"]
        for case in test["alert_rule_test"]
        if case["alertname"] == alert["alert"]
    ]
    assert {bool(expected) for expected in cases} == {True, False}, "one case where it fires, one where it does not"
