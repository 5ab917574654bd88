from __future__ import annotations

import json

import pytest

from presage.core.bundle import Omission, Part, compose
from presage.core.redaction import redact_lines, redact_object, redact_text

UNTOUCHED = [
    "Secret prom with key token cannot be read in presage's own namespace.",
    "the bearer token was refused",
    "ForecastTrusted is True, BacktestPassed: The forecast sees more than the last value does.",
    'up{job="a",instance="10.0.0.1:9100"} 1.0',
    "GET https://10.0.0.1:443/apis/apps/v1/namespaces/a/deployments?labelSelector=app&limit=500 failed",
    "image sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "pod presage-7d4b9c6f5d-x2x7k of uid 41d7b90c-8a07-4af2-944e-dca290262f7f",
    'File "/usr/lib/python3.13/site-packages/kopf/_core/reactor/orchestration.py", line 12',
    'Get "https://:10250/containerLogs/presage-system/presage-56cc76496b-ft49w/operator?tailLines=5000": refused',
    '{"event": "decision", "plan": ["replicas", 4], "at": "2026-11-24T13:36:51.992Z"}',
]


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_helps_stays(text: str) -> None:
    assert redact_lines(text) == text


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("http://u:p@host/x is down", "http://[redacted]@host/x is down"),
        ("http://u:p?x@host/x is down", "http://[redacted] is down"),
        ("/api?query=up&sig=abc&step=5", "/api?query=up&sig=[redacted]&step=5"),
        ("Authorization: Bearer abc", "Authorization: [redacted]"),
        ("with Bearer abcdefgh it", "with Bearer [redacted] it"),
        ("run --token abc now", "run --token [redacted] now"),
        ("password=correct horse battery", "password=[redacted]"),
        ("DB_PASS=hunter2", "DB_PASS=[redacted]"),
        ("dbCreds: u/p", "dbCreds: [redacted]"),
        ("key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY leaked", "key [redacted] leaked"),
    ],
)
def test_what_looks_secret_goes(text: str, want: str) -> None:
    assert redact_text(text) == want


def test_an_object_keeps_names_of_secrets_and_known_values() -> None:
    spec = {
        "auth": {"bearerTokenSecretRef": {"name": "prometheus", "key": "token"}},
        "volumes": [{"name": "v", "secret": {"secretName": "prometheus"}}],
        "imagePullSecrets": [{"name": "registry"}],
        "automountServiceAccountToken": True,
        "env": [
            {"name": "PRESAGE_WORKERS", "value": "4"},
            {"name": "PLAIN", "value": "x"},
            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "n", "key": "k"}}},
        ],
    }
    annotations = {"presage.dev/paused": "true", "meta.helm.sh/release-name": "p", "other.example/x": "y"}
    clean = redact_object({"metadata": {"annotations": annotations, "managedFields": []}, "spec": spec})
    assert clean["metadata"] == {"annotations": annotations | {"other.example/x": "[redacted]"}}
    assert clean["spec"].pop("env") == [spec["env"][0], {"name": "PLAIN", "value": "[redacted]"}, spec["env"][2]]  # type: ignore[index]
    spec.pop("env")
    assert clean["spec"] == spec


def test_the_manifest_tells_what_is_there_and_what_is_not() -> None:
    files = compose(
        [Part("a.json", {"a": 1}), Part("b.log", "x\n" * 100), Part("c.log", "never")],
        [Omission("d.log", "the cluster refuses")],
        {"presage": "0.1.0"},
        max_total=60,
    )
    manifest = json.loads(files["manifest.json"])
    assert manifest["presage"] == "0.1.0"
    assert [entry["name"] for entry in manifest["files"]] == ["a.json", "b.log"]
    assert files["b.log"].startswith(b"[the beginning was cut]\nx\n")
    left_out = {entry["what"]: entry["why"] for entry in manifest["leftOut"]}
    assert left_out["d.log"] == "the cluster refuses"
    assert "over the limit" in left_out["b.log"]
    assert "over the limit" in left_out["c.log"]
