"""`presage bundle` on a real API server with secrets planted all over: none of them is in the file."""

from __future__ import annotations

import base64
import hashlib
import json
import stat
import tarfile
from pathlib import Path
from typing import Any

from tests.integration.cli.conftest import Installed, metric_source
from tests.integration.operator.harness import eventually
from tests.integration.tools import account_kubeconfig, deployment

TOKEN = base64.urlsafe_b64encode(b"planted-token-000000000000000000").decode()


def unpack(place: Path) -> dict[str, str]:
    with tarfile.open(place) as archive:
        files = {member.name.partition("/")[2]: archive.extractfile(member) for member in archive.getmembers()}
        return {name: file.read().decode() for name, file in files.items() if file is not None}


def plant(installed: Installed, target: str) -> list[str]:
    """Put secrets where people put them; return them."""
    kubectl, namespace = installed.kubectl, installed.namespace
    kubectl("create", "secret", "generic", "prometheus", "-n", namespace, f"--from-literal=token={TOKEN}")
    source: dict[str, Any] = metric_source(f"{installed.source}-planted", "http://127.0.0.1:1")
    source["metadata"]["annotations"] = {"notes.example/login": "planted-annotation-1"}
    source["spec"]["auth"] = {"bearerTokenSecretRef": {"name": "prometheus", "key": "token"}}
    kubectl("apply", "-f", "-", stdin=source)
    env = [
        {"name": "DATABASE", "value": "postgres://app:planted-userinfo-2@db/app"},
        {"name": "PLAIN", "value": "planted-variable-3"},
        {"name": "PRESAGE_EXTRA_PASSWORD", "value": "planted-setting-4"},
    ]
    patch = {
        "metadata": {"annotations": {"vendor.example/config": "planted-annotation-5"}},
        "spec": {
            "template": {
                "spec": {
                    "containers": [
                        {"name": "operator", "env": env, "args": ["operator", "--token", "planted-argument-6"]}
                    ]
                }
            }
        },
    }
    kubectl("patch", "deployment", "presage", "-n", namespace, "-p", json.dumps(patch))
    workload = deployment(target)
    workload["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "KEY", "value": "planted-target-7"}]
    kubectl("apply", "-n", namespace, "-f", "-", stdin=workload)
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "planted", "namespace": namespace},
        "involvedObject": {"kind": "Pod", "namespace": namespace, "name": "x"},
        "reason": "Failed",
        "message": "GET http://user:planted-event-8@host/?sig=planted-parameter-9 failed",
        "type": "Warning",
    }
    kubectl("create", "-f", "-", stdin=event)
    return [TOKEN, base64.b64encode(TOKEN.encode()).decode(), "planted-"]


def remove(installed: Installed) -> None:
    kubectl, namespace = installed.kubectl, installed.namespace
    kubectl("delete", "metricsource", f"{installed.source}-planted")
    kubectl("delete", "secret", "prometheus", "-n", namespace)
    kubectl("delete", "deployment", "shop", "-n", namespace)
    kubectl("delete", "deployment", "presage", "-n", namespace)
    installed.restore()


def test_what_the_operator_itself_says_comes_along(installed: Installed, tmp_path: Path) -> None:
    place = tmp_path / "bundle.tar.gz"
    done = installed.presage("bundle", "-n", installed.namespace, "-o", str(place))
    files, acting = unpack(place), f"operator/{installed.operator.name}"
    assert json.loads(files[f"{acting}/readyz.json"]) == {"ok": True, "failed": {}}
    assert "presage_leader 1.0" in files[f"{acting}/metrics.txt"]
    assert "# TYPE presage_reconcile_duration_seconds histogram" in files[f"{acting}/metrics.txt"]
    (played,) = (pod for pod in installed.pods() if pod != installed.operator.name)
    assert f"left out operator/{played}/readyz.json: " in done.out  # nobody is there
    assert f"left out operator/{played}/operator.log: " in done.out


def test_nothing_planted_comes_along(installed: Installed, tmp_path: Path) -> None:
    secrets = plant(installed, "shop")
    installed.kubectl("apply", "-n", installed.namespace, "-f", "-", stdin=profile(installed.source))
    try:
        eventually(lambda: len(installed.pods()), lambda count: count >= 3, 30, "the pods are there")
        place = tmp_path / "bundle.tar.gz"
        done = installed.presage("bundle", "-n", installed.namespace, "-o", str(place))
        assert done.code == 0, done.err
        files = unpack(place)
    finally:
        installed.kubectl("delete", "metricprofile", "shop", "-n", installed.namespace)
        remove(installed)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    for name, content in files.items():
        for secret in secrets:
            assert secret not in content.replace(f"{installed.source}-planted", ""), f"{name} holds {secret}"
    manifest = json.loads(files.pop("manifest.json"))
    assert {entry["name"] for entry in manifest["files"]} == files.keys()
    for entry in manifest["files"]:
        assert entry["sha256"] == hashlib.sha256(files[entry["name"]].encode()).hexdigest()
    check_content(installed, files)
    for omission in manifest["leftOut"]:  # played pods have no logs, and the user reads so
        assert f"left out {omission['what']}: " in done.out


def profile(source: str) -> dict[str, Any]:
    load = {"counter": {"metric": "orders_total"}}
    return {
        "apiVersion": "presage.dev/v1alpha1",
        "kind": "MetricProfile",
        "metadata": {"name": "shop"},
        "spec": {
            "target": {"name": "shop"},
            "sourceRef": {"name": source},
            "eventTypes": [{"name": "order", "load": load}],
            "scaling": {"mode": "DryRun", "maxReplicas": 3, "perPod": "5"},
        },
    }


def check_content(installed: Installed, files: dict[str, str]) -> None:
    """What one looks for is there."""
    assert json.loads(files["check.json"])["namespace"] == installed.namespace
    assert json.loads(files["versions.json"])["server"]["gitVersion"].startswith("v1.")
    (operator,) = json.loads(files["operator/deployments.json"])
    names = [each["name"] for each in operator["spec"]["template"]["spec"]["containers"][0]["env"]]
    assert {"DATABASE", "PLAIN", "PRESAGE_EXTRA_PASSWORD", "PRESAGE_NAMESPACE"} <= set(names)
    sources = {each["metadata"]["name"]: each for each in json.loads(files["objects/metricsources.json"])}
    planted = sources[f"{installed.source}-planted"]
    assert planted["spec"]["auth"] == {"bearerTokenSecretRef": {"name": "prometheus", "key": "token"}}
    assert planted["spec"]["url"] == "http://127.0.0.1:1"
    assert sources[installed.source]["status"]["conditions"]
    (target,) = json.loads(files["objects/targets.json"])
    assert (target["metadata"]["name"], target["spec"]) == ("shop", {"replicas": 1})
    assert "template" not in files["objects/targets.json"]
    (lease,) = (
        each
        for each in json.loads(files["operator/leases.json"])
        if each["metadata"]["namespace"] == installed.namespace
    )
    assert lease["spec"]["holderIdentity"].startswith(installed.operator.name)
    assert any(each["metadata"]["name"] == "planted" for each in json.loads(files["events.json"]))
    assert {each["spec"]["names"]["kind"] for each in json.loads(files["cluster/crds.json"])} >= {"MetricSource"}


def test_who_may_read_nothing_gets_a_list_of_what_is_missing(installed: Installed, tmp_path: Path) -> None:
    installed.kubectl("create", "serviceaccount", "nobody", "-n", installed.namespace)
    nobody = account_kubeconfig(installed.kubectl, installed.kubeconfig, installed.namespace, "nobody", tmp_path / "k")
    place = tmp_path / "bundle.tar.gz"
    done = installed.presage("bundle", "-n", installed.namespace, "-o", str(place), kubeconfig=nobody)
    assert done.code == 0
    left_out = {each["what"]: each["why"] for each in json.loads(unpack(place)["manifest.json"])["leftOut"]}
    assert left_out.keys() >= {"operator/deployments.json", "objects/metricsources.json", "events.json"}
    assert "cannot list resource" in left_out["objects/metricsources.json"]


def test_a_file_is_never_overwritten(installed: Installed, tmp_path: Path) -> None:
    place = tmp_path / "bundle.tar.gz"
    place.write_text("mine")
    done = installed.presage("bundle", "-o", str(place))
    assert (done.code, place.read_text()) == (2, "mine")
    assert "give another name with -o" in done.err
    assert installed.presage("bundle", "-o", str(tmp_path / "no/where.tar.gz")).code == 2
