"""Which cluster the demo may play on, and Prometheus as a pod."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from e2e.demo import ground
from e2e.demo.errors import BAD_INPUT, DemoError
from e2e.demo.ground import ExistingCluster, KindCluster, OwnCluster, choose_context, find_ground
from e2e.demo.manifests import NAMESPACE, OPERATOR_NAMESPACE
from e2e.demo.prometheus import render_config
from e2e.demo.prometheus_pod import build_pod, build_rights, split_openmetrics

LISTED = "PRESAGE_ALLOWED_CONTEXTS"


@pytest.fixture(autouse=True)
def _no_builds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ground, "ensure_binary", lambda name: tmp_path / f"{name}-0123" / name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.mark.parametrize(
    ("environment", "want"),
    [
        pytest.param({LISTED: "lab"}, "lab", id="the only one"),
        pytest.param({LISTED: " lab , other ", "PRESAGE_CONTEXT": "other"}, "other", id="one of several"),
    ],
)
def test_a_listed_context_is_used(environment: dict[str, str], want: str) -> None:
    assert choose_context(environment) == want


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        pytest.param({}, "only contexts that you list", id="no list"),
        pytest.param({LISTED: " , "}, "only contexts that you list", id="an empty list"),
        pytest.param({"PRESAGE_CONTEXT": "lab"}, "only contexts that you list", id="chosen but not listed"),
        pytest.param({LISTED: "lab,other"}, "set PRESAGE_CONTEXT", id="several and no choice"),
        pytest.param({LISTED: "lab", "PRESAGE_CONTEXT": "prod"}, "'prod' is not on your list", id="another is chosen"),
        pytest.param({LISTED: "lab", "PRESAGE_CONTEXT": "la"}, "'la' is not on your list", id="part of a name"),
        pytest.param({LISTED: "*", "PRESAGE_CONTEXT": "prod"}, "'prod' is not on your list", id="no patterns"),
    ],
)
def test_any_other_context_is_refused(environment: dict[str, str], complaint: str) -> None:
    with pytest.raises(DemoError, match=complaint) as caught:
        choose_context(environment)
    assert caught.value.exit_code == BAD_INPUT


def test_kinds_of_cluster() -> None:
    assert isinstance(find_ground("", {}), OwnCluster)
    kind = find_ground("kind", {"PRESAGE_KIND_CLUSTER": "lab"})
    assert isinstance(kind, KindCluster)
    assert kind.kubectl.context == "kind-lab"
    existing = find_ground("existing", {LISTED: "lab", "PRESAGE_IMAGE_PREFIX": "images.example/team"})
    assert isinstance(existing, ExistingCluster)
    assert existing.kubectl.watch_command("pods")[:2] == [existing.kubectl.watch_command()[0], "--context=lab"]
    with pytest.raises(DemoError, match="no such kind"):
        find_ground("production", {})


@pytest.mark.parametrize(
    "images", [{}, {"PRESAGE_IMAGE_PREFIX": "images.example/team", "PRESAGE_LOAD_IMAGE": "load-it"}]
)
def test_images_come_from_a_registry_or_are_loaded(images: dict[str, str]) -> None:
    with pytest.raises(DemoError, match="needs the images"):
        find_ground("existing", {LISTED: "lab", **images})


def test_an_image_is_loaded_by_the_users_command(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$0.out"\n')
    (tmp_path / "tool").chmod(0o700)
    environment = {LISTED: "lab", "PRESAGE_LOAD_IMAGE": f"'{tmp_path / 'tool'}' load --quiet"}
    existing = find_ground("existing", environment)
    assert isinstance(existing, ExistingCluster)
    name = "localhost/presage-operator:1"
    assert existing.give(tmp_path / "a.tar", name) == name
    assert (tmp_path / "tool.out").read_text().split() == ["load", "--quiet", str(tmp_path / "a.tar"), name]


@pytest.mark.parametrize("command", ["false", "/nowhere/load"])
def test_a_command_that_fails_is_named(command: str, tmp_path: Path) -> None:
    existing = find_ground("existing", {LISTED: "lab", "PRESAGE_LOAD_IMAGE": command})
    assert isinstance(existing, ExistingCluster)
    with pytest.raises(DemoError, match=rf"^{command} .*a\.tar"):
        existing.give(tmp_path / "a.tar", "localhost/presage-operator:1")


def test_an_image_in_the_users_registry_keeps_its_tag(tmp_path: Path) -> None:
    existing = find_ground("existing", {LISTED: "lab", "PRESAGE_IMAGE_PREFIX": "images.example/team/"})
    assert isinstance(existing, ExistingCluster)
    given = existing.give(tmp_path / "a.tar", "localhost/presage-operator:abc")
    assert given == "images.example/team/presage-operator:abc"


def test_history_is_split_into_whole_texts() -> None:
    lines = [f"http_requests_total {n} {n}\n" for n in range(100)]
    text = "# TYPE http_requests counter\n" + "".join(lines) + "# EOF\n"
    assert split_openmetrics(text) == [text]
    parts = split_openmetrics(text, 500)
    assert len(parts) > 1
    assert all(len(part) <= 500 for part in parts)
    assert all(part.startswith("# TYPE") and part.endswith("\n# EOF\n") for part in parts)
    kept = [line for part in parts for line in part.splitlines(keepends=True) if not line.startswith("#")]
    assert kept == lines


def test_prometheus_in_a_pod_is_restricted_and_reads_pods_only() -> None:
    pod, service = build_pod("server:1", "tool:1", 2)
    spec: dict[str, Any] = pod["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    for container in [*spec["initContainers"], *spec["containers"]]:
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert [each["image"] for each in spec["initContainers"]] == ["tool:1", "tool:1"]
    loaders = [each["env"] for each in spec["initContainers"]]
    assert loaders == [[{"name": "TMPDIR", "value": "/data"}]] * 2, "promtool needs a place for its own files"
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    rules = [rule for each in build_rights() if each["kind"] == "Role" for rule in each["rules"]]
    assert all(rule["resources"] == ["pods"] and "create" not in rule["verbs"] for rule in rules)


def test_without_a_kubeconfig_pods_are_found_by_the_service_account() -> None:
    jobs = json.loads(render_config(None, NAMESPACE, OPERATOR_NAMESPACE))["scrape_configs"]
    assert all("kubeconfig_file" not in job["kubernetes_sd_configs"][0] for job in jobs)


def test_kind_loads_archives_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kind").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$0.out"\n')
    (tmp_path / "kind").chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    lab = KindCluster("lab")
    assert lab.give(tmp_path / "a.tar", "localhost/presage-operator:1") == "localhost/presage-operator:1"
    assert (tmp_path / "kind.out").read_text().split() == ["load", "image-archive", "--name=lab", f"{tmp_path}/a.tar"]
