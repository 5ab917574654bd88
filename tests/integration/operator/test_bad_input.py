"""Bad input at run time: a condition that says what to do, no traceback, no replica removed, and recovery once mended.

All cases run side by side in one operator: each has its own MetricSource, MetricProfile and Deployment. First all are
well, but for those that are wrong from the beginning; then all are broken, then all are mended.
"""

from __future__ import annotations

import contextlib
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from kubernetes import client

from e2e.cluster import Cluster, ensure_binary
from tests.integration.operator.altering import AlteringProxy
from tests.integration.operator.bad_cases import CASES, HARMLESS, Case, OddExporter, counter, load
from tests.integration.operator.harness import GROUP, VERSION, Operator, Prometheus, eventually, running

WITHIN_S = 30.0
REPLICAS = 4


class Bench:
    """The objects of all cases, in one namespace.

    Args:
        api: The administrator's client.
        namespace: Of the profiles and Deployments.
        proxy: Where sources lead to.
    """

    def __init__(self, api: client.ApiClient, namespace: str, proxy: AlteringProxy) -> None:
        self._apps, self._objects = client.AppsV1Api(api), client.CustomObjectsApi(api)
        self._namespace, self._proxy = namespace, proxy
        self._mark = uuid.uuid4().hex[:8]

    def source(self, name: str) -> str:
        return f"{name}-{self._mark}-".ljust(253, "s")  # as long as a name may be

    def target(self, name: str) -> str:
        return f"{name}-".ljust(253, "t")  # its ReplicaSet's name would be too long: there are no pods, none are needed

    def create(self, name: str, case: Case) -> None:
        if case.without != "source":
            self.create_source(name)
        if case.without != "target":
            self.create_target(name)
        self._objects.create_namespaced_custom_object(
            GROUP, VERSION, self._namespace, "metricprofiles", self._profile(name, case.own | case.wrong)
        )

    def create_source(self, name: str) -> None:
        limits = {"timeoutSeconds": 4, "maxBytes": 2**22}
        body = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "MetricSource",
            "metadata": {"name": self.source(name)},
            "spec": {"url": self._proxy.url(name), "checkPeriodSeconds": 5, "limits": limits},
        }
        self._objects.create_cluster_custom_object(GROUP, VERSION, "metricsources", body)

    def create_target(self, name: str) -> None:
        labels = {"app": name}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "none"}]}}
        spec = {"replicas": REPLICAS, "selector": {"matchLabels": labels}, "template": template}
        self._apps.create_namespaced_deployment(
            self._namespace, {"metadata": {"name": self.target(name)}, "spec": spec}
        )

    def mend(self, name: str, case: Case) -> None:
        if case.without == "source":
            self.create_source(name)
        elif case.without == "target":
            self.create_target(name)
        elif case.wrong:
            spec = {"spec": self._profile(name, case.own)["spec"]}
            self._objects.patch_namespaced_custom_object(
                GROUP,
                VERSION,
                self._namespace,
                "metricprofiles",
                name,
                spec,
                _content_type="application/merge-patch+json",
            )
        else:
            self._proxy.mend(name)

    def _profile(self, name: str, wrong: dict[str, Any]) -> dict[str, Any]:
        spec = {
            "target": {"name": self.target(name)},
            "sourceRef": {"name": self.source(name)},
            **load(counter()),
            "forecast": {"stepSeconds": 2, "historySeconds": 40, "horizonSeconds": 10, "seasonsSeconds": [10]},
            "scaling": {
                "maxReplicas": 10,
                "perPod": "20",
                "decisionPeriodSeconds": 2,
                "stabilizationWindowSeconds": 2,
                "maxDownPercent": 100,
                "downPeriodSeconds": 1,
                "leadTimeSeconds": 1,
                "maxSampleAgeSeconds": 5,
            },
            **wrong,
        }
        kind = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "MetricProfile"}
        return {**kind, "metadata": {"name": name}, "spec": spec}

    def conditions(self) -> dict[str, dict[str, dict[str, str]]]:
        """Return all conditions of all profiles: name → type → condition."""
        found = self._objects.list_namespaced_custom_object(GROUP, VERSION, self._namespace, "metricprofiles")
        return {each["metadata"]["name"]: _conditions(each) for each in found["items"]}

    def reachable(self) -> dict[str, str]:
        """Return the reason of `Reachable` of each source, by its whole name."""
        found = self._objects.list_cluster_custom_object(GROUP, VERSION, "metricsources")
        return {e["metadata"]["name"]: _conditions(e).get("Reachable", {}).get("reason", "") for e in found["items"]}

    def replicas(self) -> dict[str, int]:
        found = self._apps.list_namespaced_deployment(self._namespace).items
        return {each.metadata.name: each.spec.replicas for each in found}

    def delete_sources(self) -> None:
        for name in self.reachable():
            if self._mark in name:
                self._objects.delete_cluster_custom_object(GROUP, VERSION, "metricsources", name)


def _conditions(body: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {each["type"]: each for each in (body.get("status") or {}).get("conditions", [])}


class Floor:
    """Looks at all replicas all the time, and remembers the fewest."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.fewest: dict[str, int] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.3):
            for name, replicas in self._bench.replicas().items():
                self.fewest[name] = min(replicas, self.fewest.get(name, replicas))


@dataclass
class Observed:
    """What was seen of all cases, for one test a case to judge."""

    broken: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    mended: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    harmless: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)  # those that were not
    fewest: dict[str, int] = field(default_factory=dict)


def has(found: dict[str, dict[str, str]], kind: str, reason: str, status: str = "True") -> bool:
    condition = found.get(kind, {})
    return (condition.get("status"), condition.get("reason")) == (status, reason)


def is_well(found: dict[str, dict[str, str]]) -> bool:
    trusted = found.get("ForecastTrusted", {}).get("reason", "HistoryUnavailable")
    return (
        has(found, "DataAvailable", "Fresh") and has(found, "TargetFound", "Found") and trusted != "HistoryUnavailable"
    )


def wait(look: Callable[[], set[str]], within_s: float) -> None:
    """Wait until nothing is left; what is left after that time, each case's own test says."""
    with contextlib.suppress(AssertionError):
        eventually(look, lambda left: not left, within_s, "all cases")


@pytest.fixture(scope="module")
def bad_namespace(api: client.ApiClient, crds: None) -> Iterator[str]:
    name = f"bad-{uuid.uuid4().hex[:8]}"
    client.CoreV1Api(api).create_namespace({"metadata": {"name": name}})
    yield name
    client.CoreV1Api(api).delete_namespace(name)


@pytest.fixture(scope="module")
def operator(cluster: Cluster, bad_namespace: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    started = Operator(cluster.kubeconfig, bad_namespace, tmp_path_factory.mktemp("operator"), "bad-input")
    with running(started):
        eventually(lambda: started.leads and started.get("/readyz")[0] == 200, bool, 20, "the operator works")
        yield started


@pytest.fixture(scope="module")
def observed(
    api: client.ApiClient, bad_namespace: str, operator: Operator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Observed]:
    """Play all cases at once: well, broken, mended."""
    exporter = OddExporter()
    exporter.rate = 100
    prometheus = Prometheus(ensure_binary("prometheus"), tmp_path_factory.mktemp("prometheus"), exporter.port)
    with running(prometheus):
        proxy = AlteringProxy(prometheus.url)
        bench, seen = Bench(api, bad_namespace, proxy), Observed()
        with running(proxy):
            try:
                play(bench, proxy, exporter, seen)
            finally:
                bench.delete_sources()
        yield seen
    exporter.stop()


def play(bench: Bench, proxy: AlteringProxy, exporter: OddExporter, seen: Observed) -> None:
    everything = CASES | HARMLESS
    sound = {name for name, case in everything.items() if not (case.wrong or case.without)}
    for name, case in everything.items():
        bench.create(name, case)
    eventually(
        lambda: {n for n in sound if not is_well(bench.conditions().get(n, {}))}, lambda bad: not bad, 60, "sound"
    )
    eventually(lambda: {n for n, r in bench.replicas().items() if r < REPLICAS}, lambda few: not few, 10, "replicas")

    floor = Floor(bench)
    with running(floor):
        for name, case in everything.items():
            if case.alter:
                proxy.alter(name, case.alter)
        exporter.hiding = True

        def unsaid() -> set[str]:
            seen.broken, seen.sources = bench.conditions(), bench.reachable()
            seen.harmless |= {name: seen.broken[name] for name in HARMLESS if not is_well(seen.broken[name])}
            return {
                name
                for name, case in CASES.items()
                if not has(seen.broken[name], case.condition, case.want, "False")
                or case.source not in ("", seen.sources.get(bench.source(name)))
            }

        wait(unsaid, WITHIN_S)
        seen.sources = {name: seen.sources.get(bench.source(name), "") for name in everything}
        for name, case in CASES.items():
            bench.mend(name, case)
        exporter.hiding = False

        def unwell() -> set[str]:
            seen.mended = bench.conditions()
            return {name for name in everything if not is_well(seen.mended[name])}

        wait(unwell, WITHIN_S)
    seen.fewest = {name: floor.fewest.get(bench.target(name), 0) for name in everything}


@pytest.mark.parametrize("name", CASES)
def test_it_is_said_what_to_do_no_replica_is_removed_and_it_recovers(observed: Observed, name: str) -> None:
    case = CASES[name]
    found = observed.broken[name][case.condition]
    assert (found["status"], found["reason"]) == ("False", case.want), found
    assert re.search(case.says, found["message"]), found["message"]
    assert len(found["message"]) <= 1024
    if case.without != "source":
        assert observed.sources[name] == (case.source or "Answered")
    assert is_well(observed.mended[name]), observed.mended[name]
    assert observed.fewest[name] >= REPLICAS


@pytest.mark.parametrize("name", HARMLESS)
def test_it_changes_nothing(observed: Observed, name: str) -> None:
    assert observed.harmless.get(name) is None
    assert is_well(observed.mended[name]), observed.mended[name]


def test_the_log_has_no_traceback_and_the_process_lives(observed: Observed, operator: Operator) -> None:
    assert operator.runs
    assert operator.get("/readyz")[0] == 200
    assert [line for line in operator.lines() if "exception" in line or line["event"] == "reconcile.defect"] == []
    assert operator.told() == []
