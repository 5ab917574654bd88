"""What the real API server makes of our CRDs: which objects it accepts, which it refuses and in which words."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from kubernetes import client

from tests.unit.resources import cases, found_cases, recording_cases, source_cases

GROUP, VERSION = "presage.dev", "v1alpha1"
ACCEPTED = cases.PROFILES_ACCEPTED | found_cases.FOUND_ACCEPTED | recording_cases.RECORDING_ACCEPTED
SERVER_KNOWS = {
    name: case
    for name, case in (cases.PROFILES_REFUSED | found_cases.FOUND_REFUSED | recording_cases.RECORDING_REFUSED).items()
    if case.server != ""
}


def create(objects: client.CustomObjectsApi, manifest: dict[str, Any], **options: Any) -> dict[str, Any]:
    namespace = manifest["metadata"].get("namespace")
    if namespace is None:
        created = objects.create_cluster_custom_object(GROUP, VERSION, "metricsources", manifest, **options)
    else:
        created = objects.create_namespaced_custom_object(
            GROUP, VERSION, namespace, "metricprofiles", manifest, **options
        )
    return dict(created)


def refusal(objects: client.CustomObjectsApi, manifest: dict[str, Any]) -> str:
    with pytest.raises(client.ApiException) as refused:
        create(objects, manifest, dry_run="All")
    assert refused.value.status == 422
    return str(json.loads(refused.value.body)["message"])


@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED)
def test_profile_accepted(objects: client.CustomObjectsApi, changes: cases.Changes) -> None:
    create(objects, cases.profile(changes, namespace="default"), dry_run="All")


@pytest.mark.parametrize("case", SERVER_KNOWS.values(), ids=SERVER_KNOWS)
def test_profile_refused(objects: client.CustomObjectsApi, case: cases.Refused) -> None:
    message = refusal(objects, cases.profile(case.changes, namespace="default"))
    assert re.search(case.server or case.says, message), message


@pytest.mark.parametrize("changes", source_cases.SOURCES_ACCEPTED.values(), ids=source_cases.SOURCES_ACCEPTED)
def test_source_accepted(objects: client.CustomObjectsApi, changes: cases.Changes) -> None:
    create(objects, source_cases.source(changes, name="case"), dry_run="All")


@pytest.mark.parametrize("case", source_cases.SOURCES_REFUSED.values(), ids=source_cases.SOURCES_REFUSED)
def test_source_refused(objects: client.CustomObjectsApi, case: cases.Refused) -> None:
    message = refusal(objects, source_cases.source(case.changes, name="case"))
    assert re.search(case.server or case.says, message), message


def test_profile_name_is_bounded(objects: client.CustomObjectsApi) -> None:
    create(objects, cases.profile(name="x" * 63, namespace="default"), dry_run="All")
    message = refusal(objects, cases.profile(name="x" * 64, namespace="default"))
    assert "metadata.name must be at most 63 characters" in message


def test_defaults_are_filled_in(objects: client.CustomObjectsApi, namespace: str) -> None:
    spec = create(objects, cases.profile(namespace=namespace))["spec"]
    assert spec["target"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"}
    assert spec["eventTypes"][0]["weight"] == "1"
    assert spec["eventTypes"][0]["load"]["counter"]["windowSeconds"] == 60
    assert spec["forecast"] == {
        "stepSeconds": 300,
        "historySeconds": 1_814_400,
        "horizonSeconds": 3600,
        "seasonsSeconds": [],
    }
    assert spec["scaling"]["mode"] == "Auto"
    assert spec["scaling"]["minReplicas"] == 1
    assert spec["paused"] is False


def test_a_part_of_a_block_keeps_the_other_defaults(objects: client.CustomObjectsApi, namespace: str) -> None:
    spec = create(objects, cases.profile({"forecast": {"stepSeconds": 60}}, namespace=namespace))["spec"]
    assert (spec["forecast"]["stepSeconds"], spec["forecast"]["historySeconds"]) == (60, 1_814_400)


def condition(kind: str, status: str) -> dict[str, Any]:
    return {
        "type": kind,
        "status": status,
        "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        "reason": "Tested",
        "message": "",
    }


def apply_status(
    objects: client.CustomObjectsApi, namespace: str, manager: str, status: dict[str, Any]
) -> dict[str, Any]:
    """Apply a status as the operator does: server-side, with a field manager of its own."""
    body = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "MetricProfile",
        "metadata": {"name": "checkout"},
        "status": status,
    }
    applied = objects.patch_namespaced_custom_object_status(
        GROUP,
        VERSION,
        namespace,
        "metricprofiles",
        "checkout",
        body,
        field_manager=manager,
        force=True,
        _content_type="application/apply-patch+yaml",
    )
    return dict(applied["status"])


ACCOUNTS = {
    "since": "2026-01-01T00:00:00Z",
    "week": {
        "unmetShare": 0.001,
        "replicaHours": 102.5,
        "hours": 168.0,
        "reactive": {"unmetShare": 0.01, "replicaHours": 100.0},
        "saved": -2.5,
    },
}

RECORDED = [
    {
        "eventType": "order",
        "wanted": "Standard",
        "applied": "Minimal",
        "reason": "PredictedLoad",
        "predicted": "120",
        "since": "2026-01-01T00:00:00Z",
        "generation": 7,
        "podsApplied": 3,
        "podsTotal": 5,
        "escalatedUntil": "2026-01-01T00:10:00Z",
        "raised": [{"profile": "Standard", "metric": "latency", "asked": 10, "given": 20}],
    },
    {"eventType": "pay", "wanted": "Debug", "reason": "Critical"},
]


def test_managers_share_the_conditions(objects: client.CustomObjectsApi, namespace: str) -> None:
    create(objects, cases.profile(namespace=namespace))
    apply_status(objects, namespace, "presage-status", {"conditions": [condition("Ready", "True")], "readyReplicas": 3})
    status = apply_status(objects, namespace, "presage-other", {"conditions": [condition("Paused", "False")]})
    assert {each["type"] for each in status["conditions"]} == {"Ready", "Paused"}
    assert status["readyReplicas"] == 3


def test_a_full_status_fits_the_schema(objects: client.CustomObjectsApi, namespace: str) -> None:
    create(objects, cases.profile(namespace=namespace))
    wanted = {
        "observedGeneration": 1,
        "readyReplicas": 3,
        "scaling": {
            "currentReplicas": 3,
            "desiredReplicas": 4,
            "owner": None,
            "bindingReason": "Forecast",
            "leadTimeSeconds": {"value": 31.5, "samples": 12, "source": "measured"},
            "perPod": {"value": "50", "source": "given"},
            "reportingShare": 0.75,
            "explain": "4 replicas: p90 load 180/s over 50/s per pod",
        },
        "forecast": {
            "originTime": "2026-01-01T00:00:00Z",
            "stepSeconds": 300,
            "seasonsSeconds": [86_400],
            "next": [{"at": "2026-01-01T00:05:00Z", "p50": 150.0, "p90": 180.5}],
            "leader": "daily",
            "weights": {"daily": 0.75, "last": 0.25},
            "coverage": {"asked": 0.9, "got": 0.91, "samples": 200},
            "loss": 3.5,
            "naiveLoss": 5.25,
            "historyRung": "Full",
            "refitted": "2026-01-01T00:00:00Z",
        },
        "accounts": ACCOUNTS,
        "profiles": RECORDED,
        "injection": {"injected": 2, "total": 3, "mechanism": "Policy"},
    }
    status = apply_status(objects, namespace, "presage-status", wanted)
    assert status["forecast"] == wanted["forecast"]
    assert status["accounts"] == ACCOUNTS
    assert status["profiles"] == RECORDED
    assert status["injection"] == wanted["injection"]
    assert status["scaling"]["leadTimeSeconds"] == {"value": 31.5, "samples": 12, "source": "measured"}
    assert status["scaling"]["reportingShare"] == 0.75


def test_columns(objects: client.CustomObjectsApi, namespace: str) -> None:
    create(objects, cases.profile(namespace=namespace))
    scaling = {
        "desiredReplicas": 4,
        "bindingReason": "Forecast",
        "leadTimeSeconds": {"value": 31.5, "samples": 12, "source": "Measured"},
        "explain": "4 replicas",
    }
    status = {"readyReplicas": 3, "scaling": scaling, "forecast": {"leader": "day"}, "accounts": ACCOUNTS}
    status |= {"profiles": RECORDED, "recording": "order Standard, pay Debug"}
    apply_status(objects, namespace, "presage-status", {"conditions": [condition("Ready", "True")], **status})
    table = objects.list_namespaced_custom_object(
        GROUP,
        VERSION,
        namespace,
        "metricprofiles",
        _headers={"Accept": "application/json;as=Table;g=meta.k8s.io;v=v1"},
    )
    shown = dict(zip((each["name"] for each in table["columnDefinitions"]), table["rows"][0]["cells"], strict=True))
    assert shown.pop("Age")
    assert shown == {
        "Name": "checkout",
        "Target": "checkout",
        "Pods": 3,
        "Desired": 4,
        "Because": "Forecast",
        "Mode": "Auto",
        "Trusted": None,
        "Ready": "True",
        "Reason": "Tested",
        "Lead-s": 31.5,
        "Leader": "day",
        "Unmet-7d": 0.001,
        "Saved-7d": -2.5,
        "Profile": "order Standard, pay Debug",
        "Explain": "4 replicas",
    }
