"""`presage check` on a sound installation, and with one thing broken at a time: that finding fails, and no other."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.cluster import Cluster
from tests.integration.cli.conftest import ROOT, Installed, metric_source
from tests.integration.operator.doors import weak_door
from tests.integration.operator.harness import eventually
from tests.integration.tools import account_kubeconfig

PROFILES = "metricprofiles.presage.dev"


@contextmanager
def broken(restore: Callable[[], Any]) -> Iterator[None]:
    """Mend afterwards, whatever happens."""
    try:
        yield
    finally:
        restore()


def expect_one(installed: Installed, check: str, says: str, remedy: str, within_s: float = 0) -> None:
    """Exactly one finding fails, and it tells what is wrong and what to do."""
    if within_s:
        eventually(installed.failures, bool, within_s, f"{check} fails")
    failed = installed.failures()
    assert [finding["check"] for finding in failed] == [check], failed
    assert says in failed[0]["message"]
    assert remedy in failed[0]["remedy"]


def test_a_sound_installation(installed: Installed) -> None:
    done = installed.presage("check", "-n", installed.namespace)
    assert (done.code, done.err) == (0, ""), done.out
    for check in (
        "api-server",
        "clock",
        "crd",
        "operator",
        "version",
        "rbac",
        "lease",
        "disruption",
        "admission",
        "injection",
        "metricsource",
    ):
        assert f"\nok    {check} " in done.out
    assert "FAIL" not in done.out
    assert "?  " not in done.out


def test_it_is_found_by_its_labels(installed: Installed) -> None:
    done = installed.presage("check", "-o", "json")
    assert json.loads(done.out)["namespace"] == installed.namespace


def test_a_crd_of_another_version(installed: Installed) -> None:
    path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/scaling/properties/maxReplicas/maximum"
    wanted = installed.kubectl.read("crd", PROFILES)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    maximum = wanted["properties"]["spec"]["properties"]["scaling"]["properties"]["maxReplicas"]["maximum"]

    def patch(value: int) -> None:
        operation = json.dumps([{"op": "replace", "path": path, "value": value}])
        installed.kubectl("patch", "crd", PROFILES, "--type=json", "-p", operation)

    with broken(lambda: patch(maximum)):
        patch(7)
        expect_one(
            installed,
            "crd",
            f"maximum of spec.scaling.maxReplicas is 7 instead of {maximum}",
            "kubectl apply --server-side",
        )


def test_a_missing_right(installed: Installed) -> None:
    role = installed.kubectl.read("clusterrole", "presage-operator")
    role["rules"] = [rule for rule in role["rules"] if "deployments/scale" not in rule["resources"]]
    with broken(installed.restore):
        installed.kubectl("replace", "-f", "-", stdin=role)
        eventually(installed.failures, lambda failed: len(failed) == 2, 10, "both verbs are missing")
        failed = installed.failures()
        assert [finding["check"] for finding in failed] == ["rbac", "rbac"]
        assert "may not get deployments/scale.apps in every namespace" in failed[0]["message"]
        assert "may not patch deployments/scale.apps in every namespace" in failed[1]["message"]
        assert "ClusterRole" in failed[0]["remedy"]


def test_a_missing_right_to_the_lease(installed: Installed) -> None:
    role = installed.kubectl.read("role", "-n", installed.namespace, "presage")
    for rule in role["rules"]:
        rule["verbs"] = [verb for verb in rule["verbs"] if verb != "update"]
    with broken(installed.restore):
        installed.kubectl("replace", "-f", "-", stdin=role)
        expect_one(installed, "rbac", "may not update leases.coordination.k8s.io presage-operator", "Role", within_s=10)


def test_a_source_that_is_down(installed: Installed) -> None:
    with broken(installed.prometheus.start):
        installed.prometheus.stop()
        expect_one(
            installed,
            "metricsource",
            f"MetricSource {installed.source}: Reachable is False, Unreachable",
            "url",
            within_s=20,
        )
    eventually(installed.failures, lambda failed: not failed, 20, "the source is back")


def test_a_secret_that_may_not_be_read(installed: Installed) -> None:
    name = f"{installed.source}-auth"
    source = metric_source(name, installed.prometheus.url)
    source["spec"]["auth"] = {"bearerTokenSecretRef": {"name": "prometheus", "key": "token"}}
    role = installed.kubectl.read("role", "-n", installed.namespace, "presage")
    role["rules"] = [rule for rule in role["rules"] if "secrets" not in rule["resources"]]

    def restore() -> None:
        installed.kubectl("delete", "metricsource", name)
        installed.restore()

    with broken(restore):
        installed.kubectl("replace", "-f", "-", stdin=role)
        installed.kubectl("apply", "-f", "-", stdin=source)
        failed = eventually(installed.failures, lambda failed: len(failed) == 2, 10, "right and Secret are missing")
        assert {finding["check"] for finding in failed} == {"rbac", "metricsource"}
        (right,) = (finding for finding in failed if finding["check"] == "rbac")
        assert "may not get secrets prometheus" in right["message"]
        assert "rbac.secretNames" in right["remedy"]


def test_another_version_is_told(installed: Installed) -> None:
    def label(version: str) -> None:
        labels = f"app.kubernetes.io/version={version}"
        installed.kubectl("label", "deployment", "-n", installed.namespace, "presage", labels, "--overwrite")

    with broken(installed.restore):
        label("9.9.9")
        code, findings = installed.check()
        (version,) = (finding for finding in findings if finding["check"] == "version")
        assert (code, version["level"]) == (0, "warning")
        assert "9.9.9" in version["message"]


def test_pods_that_are_not_injected(installed: Installed) -> None:
    def level() -> str:
        (found,) = (finding for finding in installed.check()[1] if finding["check"] == "injection")
        return found["level"]

    assert level() == "ok"
    with broken(installed.restore):
        installed.kubectl("delete", "mutatingadmissionpolicybinding", "presage-injection")
        eventually(level, lambda found: found == "warning", 30, "the dry run shows it")
    eventually(level, lambda found: found == "ok", 30, "and that it is mended")


def test_what_one_may_not_read_is_not_called_well(installed: Installed, tmp_path: Path) -> None:
    installed.kubectl("create", "serviceaccount", "viewer", "-n", installed.namespace)
    viewer = account_kubeconfig(
        installed.kubectl, installed.kubeconfig, installed.namespace, "viewer", tmp_path / "viewer"
    )
    code, findings = installed.check(kubeconfig=viewer)
    assert code == 0
    levels = {finding["check"]: finding["level"] for finding in findings}
    for check in ("crd", "operator", "rbac", "lease", "admission", "injection", "metricsource", "metricprofile"):
        assert levels[check] == "unknown", check
    assert levels["api-server"] == "ok"


def test_rights_that_may_not_be_asked_for_are_not_called_well(installed: Installed, tmp_path: Path) -> None:
    """A reader of everything who may not create SubjectAccessReviews."""
    kubectl, name = installed.kubectl, f"reader-{installed.namespace}"
    kubectl("create", "serviceaccount", "reader", "-n", installed.namespace)
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}}
    kubectl("create", "-f", "-", stdin={**role, "rules": rules})
    account = f"--serviceaccount={installed.namespace}:reader"
    kubectl("create", "clusterrolebinding", name, f"--clusterrole={name}", account)
    reader = account_kubeconfig(kubectl, installed.kubeconfig, installed.namespace, "reader", tmp_path / "reader")
    try:
        code, findings = installed.check(kubeconfig=reader)
    finally:
        kubectl("delete", f"clusterrole/{name}", f"clusterrolebinding/{name}")
    ill = {finding["check"]: finding for finding in findings if finding["level"] != "ok"}
    assert code == 0
    assert ill["rbac"]["level"] == "unknown"
    assert "subjectaccessreviews" in ill["rbac"]["remedy"]
    assert {check for check, finding in ill.items() if finding["level"] != "warning"} == {"injection", "rbac"}


def test_a_crd_that_is_left_over(installed: Installed) -> None:
    plural = f"relics{uuid.uuid4().hex[:6]}"
    name, kubectl = f"{plural}.presage.dev", installed.kubectl
    schema = {"openAPIV3Schema": {"type": "object"}}
    version = {"name": "v1alpha1", "served": True, "storage": True, "schema": schema}
    names = {"plural": plural, "singular": plural, "kind": plural.capitalize()}
    spec = {"group": "presage.dev", "scope": "Namespaced", "names": names, "versions": [version]}
    crd = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    # A CRD that goes soon after it came may wait for minutes: the API server is slow to try again.
    with broken(lambda: kubectl("delete", "crd", name, "--wait=false")):
        kubectl("create", "-f", "-", stdin={**crd, "metadata": {"name": name}, "spec": spec})
        code, findings = installed.check()
        (left,) = (finding for finding in findings if name in finding["message"])
        assert (code, left["level"]) == (0, "warning")
        assert f"kubectl delete crd {name}" in left["remedy"]


def test_a_cluster_out_of_reach(installed: Installed, tmp_path: Path) -> None:
    place = tmp_path / "kubeconfig"
    server = json.loads(installed.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    place.write_text(installed.kubeconfig.read_text().replace(server, "https://127.0.0.1:1"))
    done = installed.presage("check", kubeconfig=place)
    assert (done.code, done.out) == (3, "")
    assert done.err == "presage check: cannot reach the cluster at https://127.0.0.1:1: no connection\n"


@pytest.mark.parametrize("fault", ["authority key id", "key usage"])
def test_a_certificate_that_kubectl_accepts(installed: Installed, cluster: Cluster, tmp_path: Path, fault: str) -> None:
    """A person's tool works where kubectl does, whatever Python thinks of the authority."""
    account = f"weak-{fault.replace(' ', '-')}"
    installed.kubectl("create", "serviceaccount", account, "-n", installed.namespace)
    weak = tmp_path / "kubeconfig"
    account_kubeconfig(installed.kubectl, installed.kubeconfig, installed.namespace, account, weak)
    with weak_door(cluster, tmp_path, fault) as (door, authority):
        content = yaml.safe_load(weak.read_text())
        trusted = base64.b64encode(authority.read_bytes()).decode()
        content["clusters"][0]["cluster"] = {"server": door.url, "certificate-authority-data": trusted}
        weak.write_text(yaml.safe_dump(content))
        code, findings = installed.check(kubeconfig=weak)
    assert (code, findings[0]["level"]) == (0, "ok")


def test_a_certificate_of_nobody(installed: Installed, tmp_path: Path) -> None:
    content = json.loads(installed.kubeconfig.read_text())
    content["clusters"][0]["cluster"].pop("certificate-authority-data")
    place = tmp_path / "kubeconfig"
    place.write_text(json.dumps(content))
    done = installed.presage("check", kubeconfig=place)
    assert (done.code, done.out) == (3, "")
    assert "its certificate is refused" in done.err


def test_bad_usage(installed: Installed) -> None:
    done = installed.presage("check", "--context", "nowhere")
    assert (done.code, done.out) == (2, "")
    assert "no context 'nowhere'" in done.err
    assert installed.presage("check", "-o", "yaml").code == 2


def test_a_missing_crd(installed: Installed) -> None:
    def restore() -> None:
        installed.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds"))
        installed.kubectl("wait", "--for=condition=Established", f"crd/{PROFILES}", "--timeout=20s")
        eventually(installed.failures, lambda failed: not failed, 40, "it is sound again")

    with broken(restore):
        installed.kubectl("delete", "crd", PROFILES)
        expect_one(
            installed, "crd", f"{PROFILES} is not installed", "kubectl apply --server-side --force-conflicts -f crds/"
        )


def test_an_operator_that_is_no_pod_of_the_deployment(installed: Installed) -> None:
    """Also what a Deployment scaled to 0 looks like. Its new pods have other names, so the operator moves on."""
    with broken(installed.restore):
        installed.kubectl("scale", "deployment", "-n", installed.namespace, "presage", "--replicas=0")
        eventually(installed.pods, lambda names: not names, 30, "the pods are gone")
        failed = {finding["check"]: finding for finding in installed.failures()}
        assert failed.keys() == {"operator", "lease"}
        assert "scaled to 0" in failed["operator"]["message"]
        assert f"held by {installed.operator.name}, which is no pod" in failed["lease"]["message"]


def test_an_operator_that_was_killed(installed: Installed) -> None:
    installed.operator.kill()
    pods = eventually(installed.pods, lambda names: len(names) == 2, 30, "two pods are Ready")
    assert installed.operator.name not in pods
    failed = eventually(
        installed.failures, lambda found: any("last renewed" in f["message"] for f in found), 30, "stale"
    )
    (lease,) = (finding for finding in failed if finding["check"] == "lease")
    assert f"by {installed.operator.name}" in lease["message"]
    assert f"kubectl get pods -n {installed.namespace}" in lease["remedy"]
