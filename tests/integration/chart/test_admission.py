"""Who may aim a MetricProfile at a Deployment: the chart's admission policy, in force in a real API server."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes import client, config

from e2e.cluster import Cluster
from tests.integration.chart.rendering import render
from tests.integration.tools import Kubectl
from tests.unit.resources import cases

GROUP, VERSION, PLURAL = "presage.dev", "v1alpha1", "metricprofiles"
PAUSED = "presage.dev/paused"
SCALER, WRITER = "sam-the-scaler", "wim-the-writer"

Profile = dict[str, Any]


def may(group: str, resource: str, *verbs: str, name: str = "") -> dict[str, Any]:
    rule = {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}
    return {**rule, "resourceNames": [name]} if name else rule


@pytest.fixture(scope="module")
def policy(kubectl: Kubectl, crds: None) -> Iterator[None]:
    """The policy as the chart renders it."""
    rendered = render(show_only="templates/admissionpolicy.yaml")
    kubectl("apply", "-f", "-", stdin={"apiVersion": "v1", "kind": "List", "items": rendered})
    yield
    kubectl("delete", "-f", "-", stdin={"apiVersion": "v1", "kind": "List", "items": rendered})


@pytest.fixture
def users(api: client.ApiClient, namespace: str) -> None:
    """Both may write profiles; the scaler may also scale the Deployment `checkout`, and no other."""
    rights = client.RbacAuthorizationV1Api(api)
    profiles = [may(GROUP, PLURAL, "*"), may(GROUP, f"{PLURAL}/status", "*")]
    roles = {WRITER: profiles, SCALER: [*profiles, may("apps", "deployments/scale", "update", name="checkout")]}
    for name, rules in roles.items():
        rights.create_namespaced_role(namespace, {"metadata": {"name": name}, "rules": rules})
        subject = {"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
        role = {"kind": "Role", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
        binding = {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]}
        rights.create_namespaced_role_binding(namespace, binding)


class User:
    """One user's writes of one profile."""

    def __init__(self, connection: client.ApiClient, namespace: str) -> None:
        self._objects = client.CustomObjectsApi(connection)
        self._place = (GROUP, VERSION, namespace, PLURAL)

    def create(self, profile: Profile, **options: Any) -> Profile:
        return dict(self._objects.create_namespaced_custom_object(*self._place, profile, **options))

    def patch(self, change: Profile) -> Profile:
        return dict(self._objects.patch_namespaced_custom_object(*self._place, "checkout", change))

    def patch_status(self, change: Profile) -> Profile:
        return dict(self._objects.patch_namespaced_custom_object_status(*self._place, "checkout", change))

    def read(self) -> Profile:
        return dict(self._objects.get_namespaced_custom_object(*self._place, "checkout"))

    def delete(self) -> None:
        self._objects.delete_namespaced_custom_object(*self._place, "checkout")


@pytest.fixture
def as_user(
    cluster: Cluster, namespace: str, policy: None, users: None, objects: client.CustomObjectsApi
) -> Iterator[Callable[[str], User]]:
    """Speak as somebody, once rights and policy are in force."""
    with contextlib.ExitStack() as stack:

        def speak(name: str) -> User:
            connection = stack.enter_context(config.new_client_from_config(str(cluster.kubeconfig)))
            connection.set_default_header("Impersonate-User", name)
            return User(connection, namespace)

        scaler, writer = speak(SCALER), speak(WRITER)
        wait_until(lambda: answer(lambda: scaler.create(profile(), dry_run="All"))[0] == 200, "the scaler's right")
        wait_until(lambda: "may not update" in refusal(lambda: writer.create(profile(), dry_run="All")), "the policy")
        yield {SCALER: scaler, WRITER: writer}.__getitem__


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, f"not in force after 10 s: {what}"
        time.sleep(0.1)


def answer(write: Callable[[], Any]) -> tuple[int, str]:
    """Return the status of a write, and the words of its refusal."""
    try:
        write()
    except client.ApiException as refused:
        return int(refused.status), str(json.loads(refused.body)["message"])
    return 200, ""


def refusal(write: Callable[[], Any]) -> str:
    """Return the words of the policy's refusal; empty if the write is let through."""
    status, said = answer(write)
    assert status in (200, 403), said
    return said


def profile(changes: cases.Changes | None = None, paused: str = "") -> Profile:
    wanted = cases.profile(changes)
    del wanted["metadata"]["namespace"]
    if paused:
        wanted["metadata"]["annotations"] = {PAUSED: paused}
    return wanted


def spec(**fields: Any) -> Profile:
    return {"spec": fields}


def annotation(value: str | None) -> Profile:
    return {"metadata": {"annotations": {PAUSED: value}}}


def test_refusal_names_user_right_and_target(as_user: Callable[[str], User], namespace: str) -> None:
    said = refusal(lambda: as_user(WRITER).create(profile()))
    assert f'user "{WRITER}" may not update deployments/scale of "checkout" in namespace "{namespace}"' in said
    assert "presage-target-may-be-scaled" in said


def test_who_may_scale_the_target_is_admitted(as_user: Callable[[str], User]) -> None:
    assert as_user(SCALER).create(profile())["spec"]["scaling"]["mode"] == "Auto"


def test_the_right_is_asked_for_by_name(as_user: Callable[[str], User]) -> None:
    assert 'deployments/scale of "payment"' in refusal(
        lambda: as_user(SCALER).create(profile({"target.name": "payment"}))
    )


@pytest.mark.parametrize("harmless", [{"scaling.mode": "DryRun"}, {"scaling.mode": "Off"}, {"paused": True}], ids=str)
def test_aiming_is_asked_about_in_any_mode(as_user: Callable[[str], User], harmless: cases.Changes) -> None:
    """Even a dry run stops the profile that scales the same target."""
    assert "may not update" in refusal(lambda: as_user(WRITER).create(profile(harmless)))


ACTING, DRY, STOPPED = profile(), profile({"scaling.mode": "DryRun"}), profile({"paused": True})
HELD = profile(paused="true")
REFUSED = {
    "bounds of one that acts": (ACTING, spec(scaling={"maxReplicas": 9000})),
    "load of one that acts": (ACTING, spec(sourceRef={"name": "other"})),
    "another target": (ACTING, spec(target={"name": "payment"})),
    "another target for a dry run": (DRY, spec(target={"name": "payment"})),
    "another target while it is paused": (ACTING, spec(target={"name": "payment"}, paused=True)),
    "from dry run to auto": (DRY, spec(scaling={"mode": "Auto"})),
    "unpaused by the spec": (STOPPED, spec(paused=False)),
    "unpaused by taking the annotation away": (HELD, annotation(None)),
    "unpaused by another value": (HELD, annotation("yes")),
    "annotation written otherwise, then bounds": (
        profile(paused="TRUE"),
        {**annotation("no"), **spec(scaling={"maxReplicas": 9})},
    ),
}
ADMITTED = {
    "a label": (ACTING, {"metadata": {"labels": {"team": "shop"}}}),
    "another annotation": (ACTING, {"metadata": {"annotations": {"note": "x"}}}),
    "a finalizer": (ACTING, {"metadata": {"finalizers": ["example.test/kept"]}}),
    "the same again": (ACTING, spec(scaling={"mode": "Auto"})),
    "pausing by the spec": (ACTING, spec(paused=True)),
    "pausing by the annotation": (ACTING, annotation("true")),
    "to dry run": (ACTING, spec(scaling={"mode": "DryRun"})),
    "to off, and bounds": (ACTING, spec(scaling={"mode": "Off", "maxReplicas": 9})),
    "bounds of a dry run": (DRY, spec(scaling={"maxReplicas": 9})),
    "bounds of a paused one": (HELD, spec(scaling={"maxReplicas": 9})),
    "annotation in other letters": (HELD, annotation("True")),
}


@pytest.mark.parametrize(("before", "change"), REFUSED.values(), ids=REFUSED)
def test_update_that_acts_is_refused(as_user: Callable[[str], User], before: Profile, change: Profile) -> None:
    kept = as_user(SCALER).create(before)
    said = refusal(lambda: as_user(WRITER).patch(change))
    target = change.get("spec", {}).get("target", {}).get("name", "checkout")
    assert f'user "{WRITER}" may not update deployments/scale of "{target}"' in said
    assert as_user(WRITER).read() == kept
    if target == "checkout":
        as_user(SCALER).patch(change)


@pytest.mark.parametrize(("before", "change"), ADMITTED.values(), ids=ADMITTED)
def test_update_that_acts_on_nothing_new_is_admitted(
    as_user: Callable[[str], User], before: Profile, change: Profile
) -> None:
    as_user(SCALER).create(before)
    as_user(WRITER).patch(change)
    as_user(WRITER).patch({"metadata": {"finalizers": None}})


def test_one_who_may_not_scale_may_delete(as_user: Callable[[str], User]) -> None:
    as_user(SCALER).create(profile())
    as_user(WRITER).delete()


def test_the_status_opens_no_other_way(as_user: Callable[[str], User]) -> None:
    """The status subresource is not checked: what is written beside the status must not come through."""
    as_user(SCALER).create(HELD)
    change = {**annotation("no"), **spec(scaling={"maxReplicas": 9000}), "status": {"readyReplicas": 7}}
    written = as_user(WRITER).patch_status(change)
    assert written["status"]["readyReplicas"] == 7
    assert written["metadata"]["annotations"][PAUSED] == "true"
    assert written["spec"]["scaling"]["maxReplicas"] == HELD["spec"]["scaling"]["maxReplicas"]


def test_a_full_spec_costs_little_enough(as_user: Callable[[str], User]) -> None:
    """The comparison of two specs stays within what the API server lets a policy spend."""
    matchers = [{"label": f"l{n}", "op": "=", "value": "v" * 256} for n in range(16)]
    load = {"counter": {"metric": "m" * 256, "matchers": matchers}}
    big = profile({"eventTypes": [{"name": f"e{n}", "load": load} for n in range(16)]})
    as_user(SCALER).create(big)
    as_user(WRITER).patch({"metadata": {"labels": {"team": "shop"}}})
    as_user(SCALER).patch(spec(scaling={"maxReplicas": 9}))


def test_the_policy_fits_the_types(as_user: Callable[[str], User], kubectl: Kubectl) -> None:
    """The API server's own check of the expressions against our CRD has found nothing."""
    name = ("validatingadmissionpolicy", "presage-target-may-be-scaled")
    wait_until(lambda: "typeChecking" in kubectl.read(*name).get("status", {}), "type check of the policy")
    assert kubectl.read(*name)["status"]["typeChecking"] == {}
