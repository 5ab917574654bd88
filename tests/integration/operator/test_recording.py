"""What functions record follows the forecast: on a real control plane, a real Prometheus, with the real SDK."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from e2e.cluster import Cluster, ensure_binary
from presage.core.recording.document import KEY, Document, DocumentError, parse_document, render_document
from presage.resources.base import GROUP, VERSION
from presage.runtime.kinds import KINDS
from presage.runtime.rights import list_cluster_rules
from tests.integration.operator.doors import Account
from tests.integration.operator.functions import Functions, refer_to
from tests.integration.operator.harness import (
    Exporter,
    Operator,
    Prometheus,
    Shop,
    create_source,
    eventually,
    running,
)
from tests.integration.operator.surroundings import new_account, new_namespace

METRICS = [{"name": "requests"}, {"name": "latency", "everyEvents": 10}]
PROFILES = [{"name": name, "exportIntervalSeconds": 1, "metrics": METRICS} for name in ("Minimal", "Standard", "Debug")]
LEVELS = [{"profile": "Minimal"}, {"profile": "Standard", "above": "30"}, {"profile": "Debug", "above": "100"}]
CONFIG_MAP = "presage-shop"


@pytest.fixture(scope="module")
def exporter() -> Iterator[Exporter]:
    started = Exporter()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recording")


@pytest.fixture(scope="module")
def source(api: client.ApiClient, crds: None, exporter: Exporter, folder: Path) -> Iterator[str]:
    files = str(folder / "functions-*.json")
    server = Prometheus(ensure_binary("prometheus"), folder, exporter.port, files=files)
    with running(server), create_source(api, server.url) as name:
        yield name


@pytest.fixture(scope="module")
def account(api: client.ApiClient) -> Iterator[Account]:
    """An account that has the rights of the chart's ClusterRole, and no other."""
    with new_namespace(api) as system, new_account(api, system) as made:
        made.allow(rules())
        made.allow_lease()
        yield made


def rules(*, without: str = "") -> list[dict[str, Any]]:
    names = {"groups": "apiGroups", "resources": "resources", "verbs": "verbs"}
    listed = [{names[name]: list(value) for name, value in asdict(r).items()} for r in list_cluster_rules(KINDS)]
    for each in listed:
        if without in each["resources"]:
            each["verbs"] = [verb for verb in each["verbs"] if verb in ("get", "list", "watch")]
    return [each for each in listed if each["verbs"]]


@pytest.fixture(scope="module")
def operator(cluster: Cluster, account: Account, crds: None, folder: Path) -> Iterator[Operator]:
    server = yaml.safe_load(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    kubeconfig = account.write_kubeconfig(cluster, folder / "kubeconfig", server)
    started = Operator(kubeconfig, account.namespace, folder, "recorder")
    with running(started):
        eventually(lambda: started.leads, bool, 20, "it leads")
        yield started


class Studio(Shop):
    """A shop whose function records by the load."""

    def __init__(self, api: client.ApiClient, namespace: str, source: str) -> None:
        super().__init__(api, namespace, source)
        self.core = client.CoreV1Api(api)

    def create_recording_target(self, replicas: int = 2, label: str = "shop") -> None:
        labels = {"app": "shop", **({"presage.dev/profile": label} if label else {})}
        template = {"metadata": {"labels": labels}, "spec": refer_to("shop")}
        spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "shop"}}, "template": template}
        self.apps.create_namespaced_deployment(self.namespace, {"metadata": {"name": "shop"}, "spec": spec})

    def create_recording_profile(self, **scaling: Any) -> None:
        self.create_profile(**scaling)
        load = {"counter": {"metric": "orders_total", "windowSeconds": 4}}
        self.patch({"profiles": PROFILES, "eventTypes": [{"name": "order", "load": load, "levels": LEVELS}]})

    def patch(self, spec: dict[str, Any]) -> None:
        self.objects.patch_namespaced_custom_object(
            GROUP, VERSION, self.namespace, "metricprofiles", "shop", {"spec": spec}
        )

    def document(self) -> Document | None:
        try:
            found = self.core.read_namespaced_config_map(CONFIG_MAP, self.namespace).data or {}
            return parse_document(found.get(KEY, "").encode())
        except (client.ApiException, DocumentError):
            return None

    def recorded_by(self) -> str:
        found = self.document()
        return found.recording.event_types["order"].profile.name if found else ""

    def settle(self, profile: str) -> None:
        """Wait until all functions record by a profile: before the first forecast it is another one."""
        eventually(self.entry, lambda e: e.get("wanted") == e.get("applied") == profile, 60, f"all record by {profile}")
        self.wait_for("ProfileApplied", ("True", "Applied"), 20)

    def entry(self) -> dict[str, Any]:
        entries = (self.profile().get("status") or {}).get("profiles") or [{}]
        return dict(entries[0])


@pytest.fixture
def studio(api: client.ApiClient, namespace: str, source: str, operator: Operator, exporter: Exporter) -> Studio:
    exporter.rate = 10.0
    return Studio(api, namespace, source)


@pytest.fixture
def functions(api: client.ApiClient, namespace: str, folder: Path, studio: Studio) -> Iterator[Functions]:
    place = folder / namespace
    place.mkdir()
    started = Functions(api, namespace, "shop", place)
    with running(started):
        yield started


def test_the_profile_follows_the_load_in_all_functions_and_none_restarts(
    studio: Studio, functions: Functions, exporter: Exporter, operator: Operator
) -> None:
    studio.create_recording_target()
    studio.create_recording_profile(maxReplicas=4)
    studio.settle("Minimal")
    first, processes = studio.document(), {name: each.process.pid for name, each in functions.running.items()}
    assert first is not None
    exporter.rate = 300.0
    eventually(studio.recorded_by, lambda name: name == "Debug", 60, "a loaded one all of it")
    stored = time.monotonic()
    eventually(studio.entry, lambda e: e.get("applied") == "Debug", 30, "status says that all do", each_s=0.1)
    print(f"in status {time.monotonic() - stored:.1f} s after it was stored, {studio.replicas()} replicas")
    second = studio.document()
    assert second is not None
    assert second.generation > first.generation
    assert {n: each.process.pid for n, each in functions.running.items() if n in processes}.items() <= processes.items()
    eventually(lambda: "ProfileChosen" in studio.reasons(), bool, 10, "an event tells, once a minute at most")
    assert 'presage_recording_level{event_type="order"' in operator.get("/metrics")[1]
    assert not [line for line in operator.lines() if line.get("level") == "error"]


def test_killed_and_started_again_it_writes_no_other_generation(
    studio: Studio, functions: Functions, operator: Operator
) -> None:
    studio.create_recording_target(1)
    studio.create_recording_profile()
    studio.settle("Minimal")
    before, entry = studio.document(), studio.entry()
    operator.kill()
    operator.start()
    eventually(lambda: operator.leads, bool, 30, "it leads again")
    time.sleep(5)
    assert studio.document() == before
    lasting = ("wanted", "applied", "since", "generation")
    assert [studio.entry().get(name) for name in lasting] == [entry.get(name) for name in lasting]


def test_what_another_hand_does_to_the_document_is_put_right_at_once(
    studio: Studio, functions: Functions, operator: Operator
) -> None:
    studio.create_recording_target(1)
    studio.create_recording_profile()
    studio.settle("Minimal")
    before = studio.document()
    assert before is not None
    studio.core.delete_namespaced_config_map(CONFIG_MAP, studio.namespace)
    eventually(studio.document, lambda found: found is not None, 5, "deleted, it is made again")
    other = render_document(before.recording, before.generation + 7).replace("Minimal", "Maximal", 1)
    studio.core.patch_namespaced_config_map(CONFIG_MAP, studio.namespace, {"data": {KEY: other}})
    eventually(studio.recorded_by, lambda name: name == "Minimal", 5, "edited, it is put right")
    studio.core.patch_namespaced_config_map(
        CONFIG_MAP, studio.namespace, {"metadata": {"labels": {"presage.dev/owner-uid": None}}}
    )
    studio.wait_for("ProfileApplied", ("False", "NameTaken"), 10)
    studio.core.delete_namespaced_config_map(CONFIG_MAP, studio.namespace)
    studio.wait_for("ProfileApplied", ("True", "Applied"), 20)


def test_without_the_right_to_write_it_is_told_and_replicas_follow_the_load_all_the_same(
    studio: Studio, exporter: Exporter, operator: Operator, account: Account
) -> None:
    account.allow(rules(without="configmaps"))
    try:
        studio.create_recording_target()
        studio.create_recording_profile()
        studio.wait_for("ProfileApplied", ("False", "Forbidden"), 30)
        exporter.rate = 100.0
        eventually(studio.replicas, lambda count: count >= 8, 30, "replicas follow")
        assert studio.document() is None
    finally:
        account.allow(rules())
    eventually(studio.document, lambda found: found is not None, 40, "with the right it is written")


def test_a_template_without_the_label_is_told_what_to_add(studio: Studio, operator: Operator) -> None:
    studio.create_target()
    studio.create_recording_profile()
    studio.wait_for("Injected", ("False", "LabelMissing"), 30)
    conditions = studio.profile()["status"]["conditions"]
    message = next(c["message"] for c in conditions if c["type"] == "Injected")
    assert "Add the label presage.dev/profile: shop to the pod template of Deployment shop" in message
    eventually(lambda: studio.profile()["status"]["injection"], lambda i: i["total"] == 2, 20, "pods are counted")
    assert studio.profile()["status"]["injection"]["injected"] == 0


def test_with_the_profile_the_document_goes(studio: Studio, operator: Operator) -> None:
    studio.create_recording_target(1)
    studio.create_recording_profile()
    eventually(studio.document, lambda found: found is not None, 30, "it is stored")
    load = {"counter": {"metric": "orders_total", "windowSeconds": 4}}
    studio.patch({"eventTypes": [{"name": "order", "load": load}], "profiles": None})
    eventually(studio.document, lambda found: found is None, 20, "without levels it goes")
    studio.patch({"eventTypes": [{"name": "order", "load": load, "critical": True}]})
    eventually(studio.recorded_by, lambda name: name == "Debug", 20, "critical is all of it")
    studio.objects.delete_namespaced_custom_object(GROUP, VERSION, studio.namespace, "metricprofiles", "shop")
    eventually(studio.document, lambda found: found is None, 30, "it goes with its owner")
