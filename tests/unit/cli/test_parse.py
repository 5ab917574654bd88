from __future__ import annotations

from typing import Any

import pytest

from presage.cli import parse
from presage.core.installation.facts import Definition, Pod, Policy
from presage.resources.schema import build_crd
from presage.runtime.kinds import KINDS

GROUP = "presage.dev"


def served(crd: dict[str, Any]) -> dict[str, Any]:
    return crd | {"status": {"conditions": [{"type": "Established", "status": "True"}]}}


def test_definitions_are_matched_with_those_shipped() -> None:
    crds = [served(build_crd(kind.model)) for kind in KINDS[1:]]
    crds += [{"metadata": {"name": f"old.{GROUP}"}, "spec": {"group": GROUP}}]
    crds += [{"metadata": {"name": "other.example.com"}, "spec": {"group": "example.com"}}]
    first, *others = (kind.model.meta.crd_name for kind in KINDS)
    assert parse.parse_definitions(crds, KINDS, GROUP) == (
        Definition(first, found=False, established=True),
        *(Definition(name) for name in others),
        Definition(f"old.{GROUP}", shipped=False),
    )


def test_a_definition_on_its_way() -> None:
    crd = build_crd(KINDS[0].model)
    crd["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    first = parse.parse_definitions([crd], KINDS, GROUP)[0]
    assert (first.established, first.deleting, first.differences) == (False, True, ())


@pytest.mark.parametrize(
    ("version", "want"),
    [
        ({"major": "1", "minor": "36", "gitVersion": "v1.36.3"}, (1, 36, "v1.36.3")),
        ({"major": "1", "minor": "30+", "gitVersion": "v1.30.4-eks"}, (1, 30, "v1.30.4-eks")),
        ({}, (0, 0, "of unknown version")),
    ],
)
def test_server(version: dict[str, str], want: tuple[int, int, str]) -> None:
    server = parse.parse_server(version, 0.0, 1.0)
    assert (server.major, server.minor, server.version) == want


@pytest.mark.parametrize(
    ("status", "want"),
    [
        ({"conditions": [{"type": "Ready", "status": "True"}]}, Pod("p", ready=True)),
        ({}, Pod("p", ready=False)),
        (
            {"containerStatuses": [{"restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]},
            Pod("p", ready=False, restarts=4, trouble="CrashLoopBackOff"),
        ),
        (
            {"containerStatuses": [{"restartCount": 1, "lastState": {"terminated": {"reason": "OOMKilled"}}}]},
            Pod("p", ready=False, restarts=1, trouble="OOMKilled"),
        ),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]},
            Pod("p", ready=False, trouble="Unschedulable"),
        ),
    ],
)
def test_pod(status: dict[str, Any], want: Pod) -> None:
    assert parse.parse_pod({"metadata": {"name": "p"}, "status": status}) == want


def test_lease_knows_both_clocks() -> None:
    entry = {"time": "2026-01-01T00:00:10Z", "fieldsV1": {"f:spec": {"f:renewTime": {}}}}
    other = {"time": "2026-01-01T00:00:20Z", "fieldsV1": {"f:metadata": {}}}
    lease = parse.parse_lease(
        {
            "metadata": {"namespace": "home", "name": "presage-operator", "managedFields": [entry, other]},
            "spec": {
                "holderIdentity": "presage-7f_0123abcd",
                "leaseDurationSeconds": 10,
                "renewTime": "2026-01-01T00:00:10.250000Z",
            },
        },
        5.0,
    )
    assert (lease.holder, lease.duration_s, lease.seen_at) == ("presage-7f", 10, 5.0)
    assert lease.renewed_at is not None
    assert lease.written_at is not None
    assert lease.renewed_at - lease.written_at == 0.25


def test_an_empty_lease_says_nothing() -> None:
    lease = parse.parse_lease({}, 5.0)
    assert (lease.holder, lease.renewed_at, lease.written_at) == ("", None, None)


def test_policies_are_matched_with_bindings() -> None:
    policies = [{"metadata": {"name": name}} for name in ("bound", "audited", "loose")]
    policies.append({"metadata": {"name": "ignoring"}, "spec": {"failurePolicy": "Ignore"}})
    bindings = [
        {"spec": {"policyName": "bound", "validationActions": ["Deny"]}},
        {"spec": {"policyName": "audited", "validationActions": ["Audit"]}},
        {"spec": {"policyName": "ignoring", "validationActions": ["Deny"]}},
    ]
    assert parse.parse_policies(policies, bindings) == (
        Policy("bound", bound=True, denies=True),
        Policy("audited", bound=True, denies=False),
        Policy("loose", bound=False, denies=False),
        Policy("ignoring", bound=True, denies=False),
    )


def test_every_secret_that_is_named_is_found() -> None:
    spec = {
        "auth": {"bearerTokenSecretRef": {"name": "a", "key": "token"}},
        "more": [{"tls": {"caSecretRef": {"name": "b"}}}, {"name": "no"}],
    }
    assert parse.list_secrets([{"spec": spec}, {"metadata": {}}]) == {"a", "b"}


def test_lease_name_follows_the_environment() -> None:
    def deployment(*env: dict[str, Any]) -> dict[str, Any]:
        return {"spec": {"template": {"spec": {"containers": [{"env": list(env)}]}}}}

    assert parse.parse_lease_name(None) == "presage-operator"
    assert parse.parse_lease_name(deployment({"name": "X", "value": "y"})) == "presage-operator"
    assert parse.parse_lease_name(deployment({"name": "PRESAGE_LEASE_NAME", "value": "other"})) == "other"
