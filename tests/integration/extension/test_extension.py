"""A kind added by one module a layer and one line works whole: CRD, rights, watch, status, events, series, deletion."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from tests.integration.extension.conftest import Installed, start
from tests.integration.extension.errands.core.errand import ErrandSpec, build_names
from tests.integration.operator.harness import GROUP, VERSION, Operator, eventually
from tests.integration.tools import Kubectl

FINALIZER = "presage.dev/finalizer"
REFUSED = 'spec: Invalid value: "object": priority needs run: true'


class Errands:
    """The Errands of one namespace, and what was made for them."""

    def __init__(self, kubectl: Kubectl, namespace: str) -> None:
        self.kubectl, self.namespace = kubectl, namespace

    def put(self, name: str = "tidy", **spec: Any) -> None:
        body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "Errand", "metadata": {"name": name}}
        self._run("apply", "-f", "-", stdin={**body, "spec": {"image": "none", **spec}})

    def get(self, name: str = "tidy") -> dict[str, Any]:
        return dict(json.loads(self._run("get", "errand", name, "-o", "json")))

    def exists(self, name: str = "tidy") -> bool:
        return bool(self._run("get", "errand", name, "--ignore-not-found", "-o", "name"))

    def delete(self, name: str = "tidy") -> None:
        self._run("delete", "errand", name, "--wait=false")

    def condition(self, kind: str, name: str = "tidy") -> tuple[str, str]:
        conditions = (self.get(name).get("status") or {}).get("conditions", [])
        found = next((c for c in conditions if c["type"] == kind), {"status": "", "reason": ""})
        return found["status"], found["reason"]

    def jobs(self) -> dict[str, str]:
        """Return name → uid."""
        return {job["metadata"]["name"]: job["metadata"]["uid"] for job in self._items("jobs")}

    def pods(self) -> list[str]:
        return [pod["metadata"]["name"] for pod in self._items("pods")]

    def classes(self) -> dict[str, int]:
        """Return name → value of the PriorityClasses made for Errands here."""
        found = json.loads(self.kubectl("get", "priorityclasses", "-o", "json"))["items"]
        mine = f"{GROUP}/{VERSION}/Errand/{self.namespace}/"
        marks = ((c, (c["metadata"].get("annotations") or {}).get("presage.dev/owner", "")) for c in found)
        return {c["metadata"]["name"]: c["value"] for c, mark in marks if mark.startswith(mine)}

    def events(self) -> list[tuple[str, str]]:
        """Return reason and note of presage's events here, with repetitions."""
        found = json.loads(self._run("get", "events.v1.events.k8s.io", "-o", "json"))["items"]
        return sorted((e["reason"], e["note"]) for e in found if e.get("reportingController") == "presage.dev/operator")

    def _items(self, plural: str) -> list[dict[str, Any]]:
        return list(json.loads(self._run("get", plural, "-o", "json"))["items"])

    def _run(self, *arguments: str, stdin: object = None) -> str:
        return self.kubectl(*arguments, "--namespace", self.namespace, stdin=stdin)


@pytest.fixture
def errands(kubectl: Kubectl, namespace: str, operator: Operator) -> Errands:
    return Errands(kubectl, namespace)


@pytest.fixture
def elsewhere(api: client.ApiClient, kubectl: Kubectl, namespace: str, operator: Operator) -> Any:
    core, name = client.CoreV1Api(api), f"{namespace}-b"
    core.create_namespace({"metadata": {"name": name}})
    yield Errands(kubectl, name)
    core.delete_namespace(name)


def completed(errands: Errands) -> Callable[[], tuple[str, str]]:
    return lambda: errands.condition("Completed")


def series(operator: Operator, namespace: str) -> list[str]:
    """Return the Errand's own series."""
    lines = operator.get("/metrics")[1].splitlines()
    return [line for line in lines if line.startswith("presage_errand_completed{") and namespace in line]


def test_everything_derived_from_a_kind_names_it(repository: Path) -> None:
    reference = {path.name: path.read_text(encoding="utf-8") for path in (repository / "docs/reference").iterdir()}
    assert "| Started | `NameTaken` |" in reference["reasons.md"]
    assert "| `spec.priority` | integer, 0 to 1000 |" in reference["errand.md"]
    assert "`presage_errand_completed" in reference["metrics.md"]
    assert (repository / "charts/presage/crds/errands.yaml").is_file()


def test_errands_in_two_namespaces_are_run_told_and_counted(
    errands: Errands, elsewhere: Errands, operator: Operator, kubectl: Kubectl
) -> None:
    errands.put(data={"A": "1"})
    elsewhere.put(data={"A": "1"}, priority=7)
    for each in (errands, elsewhere):
        eventually(completed(each), lambda c: c == ("True", "Succeeded"), 20, "the Job is done and it is said")
        assert each.condition("Ready") == ("True", "AsSpecified")
        (name,) = each.jobs()
        assert each.get()["status"]["jobName"] == name
        eventually(each.events, lambda seen: [r for r, _ in seen] == ["JobCreated", "Succeeded"], 10, "events tell it")
        assert series(operator, each.namespace)[0].endswith(" 1.0")
        job = kubectl.read("job", name, "--show-managed-fields", "--namespace", each.namespace)
        assert job["metadata"]["ownerReferences"][0]["kind"] == "Errand"
        assert {entry["manager"] for entry in job["metadata"]["managedFields"]} >= {"presage-errand"}
        assert job["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "A", "value": "1"}]
    assert errands.classes() == {}
    assert list(elsewhere.classes().values()) == [7]
    shown = kubectl("get", "errands", "--namespace", errands.namespace)
    assert shown.split()[:3] == ["NAME", "JOB", "COMPLETED"]


def test_a_change_of_the_job_makes_its_owner_due(errands: Errands, kubectl: Kubectl) -> None:
    errands.put()
    eventually(completed(errands), lambda c: c[0] == "True", 20, "the Job is done")
    ((name, uid),) = errands.jobs().items()
    kubectl("delete", "job", name, "--namespace", errands.namespace)
    eventually(errands.jobs, lambda jobs: jobs.get(name, uid) != uid, 5, "a Job deleted by hand is made again")


def test_another_wish_is_another_job_and_the_old_one_goes_with_its_pods(errands: Errands) -> None:
    errands.put(data={"A": "1"}, priority=1)
    eventually(completed(errands), lambda c: c[0] == "True", 20, "the Job is done")
    old, classes = errands.jobs(), errands.classes()
    errands.put(data={"A": "2"}, priority=2)
    eventually(errands.jobs, lambda jobs: len(jobs) == 1 and jobs.keys() != old.keys(), 10, "one Job, another one")
    eventually(errands.classes, lambda now: [*now.values()] == [2] and now.keys() != classes.keys(), 10, "one class")
    eventually(errands.pods, lambda pods: not any(p.startswith(tuple(old)) for p in pods), 10, "the old pods go")
    errands.put(run=False)
    eventually(errands.jobs, lambda jobs: jobs == {}, 10, "none is wanted")
    eventually(errands.pods, lambda pods: pods == [], 10, "no pod either")
    eventually(lambda: errands.condition("Ready"), lambda c: c == ("True", "AsSpecified"), 5, "as was asked")
    assert errands.condition("Started") == ("False", "NotAsked")


def test_an_invalid_combination_is_refused_in_words(errands: Errands) -> None:
    with pytest.raises(AssertionError, match="priority needs run: true, since an errand that does not run"):
        errands.put(run=False, priority=1)


def test_an_object_of_somebody_else_is_named_and_left_alone(errands: Errands, kubectl: Kubectl) -> None:
    _, name = build_names(errands.namespace, "tidy", ErrandSpec("none", (), None, True))
    kubectl("create", "job", name, "--image=theirs", "--namespace", errands.namespace)
    before = errands.jobs()
    errands.put()
    eventually(lambda: errands.condition("Started"), lambda c: c == ("False", "NameTaken"), 10, "it is said")
    assert errands.condition("Ready") == ("False", "NameTaken")
    assert (
        "NameTaken",
        f"Job {name} exists and was not made for Errand tidy: remove or rename it.",
    ) in errands.events()
    assert errands.jobs() == before


def test_what_the_api_server_refuses_is_said_in_its_words(errands: Errands) -> None:
    errands.put(data={"A=B": "1"})
    eventually(lambda: errands.condition("Started"), lambda c: c == ("False", "Refused"), 10, "it is said")
    ready = errands.get()["status"]["conditions"][0]
    assert "A=B" in ready["message"]
    errands.put(data={"A": "1"})
    eventually(completed(errands), lambda c: c[0] == "True", 20, "another wish is another try")


def test_status_of_another_manager_is_not_fought(errands: Errands, kubectl: Kubectl) -> None:
    errands.put()
    eventually(completed(errands), lambda c: c[0] == "True", 20, "the Job is done")
    moment = "2026-01-01T00:00:00Z"
    audited = {"type": "Audited", "status": "True", "reason": "Seen", "message": "", "observedGeneration": 1}
    body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "Errand", "metadata": {"name": "tidy"}}
    body["status"] = {"conditions": [{**audited, "lastTransitionTime": moment}], "succeeded": 5}
    apply = ("apply", "--server-side", "--force-conflicts", "--field-manager=auditor", "--subresource=status")
    theirs = json.loads(kubectl(*apply, "--namespace", errands.namespace, "-o", "json", "-f", "-", stdin=body))
    assert theirs["status"]["succeeded"] == 5
    time.sleep(3)
    assert errands.get()["metadata"]["resourceVersion"] == theirs["metadata"]["resourceVersion"], "nobody answers it"
    errands.put(data={"A": "1"})
    eventually(lambda: errands.get()["status"]["observedGeneration"], lambda g: g == 2, 10, "ours goes on")
    eventually(completed(errands), lambda c: c[0] == "True", 20, "the new Job is done")
    assert errands.condition("Audited") == ("True", "Seen")


def test_a_restart_changes_nothing(errands: Errands, operator: Operator) -> None:
    errands.put(priority=3)
    eventually(completed(errands), lambda c: c[0] == "True", 20, "the Job is done")
    eventually(errands.events, lambda seen: len(seen) == 2, 10, "events tell it")
    before = (errands.jobs(), errands.classes(), errands.events(), errands.get())
    operator.stop()
    start(operator)
    eventually(lambda: series(operator, errands.namespace), bool, 15, "it was looked at again")
    time.sleep(2)
    assert (errands.jobs(), errands.classes(), errands.events(), errands.get()) == before


def test_a_deleted_errand_needs_no_finalizer_for_its_job(errands: Errands, operator: Operator) -> None:
    errands.put()
    eventually(completed(errands), lambda c: c[0] == "True", 20, "the Job is done")
    assert "finalizers" not in errands.get()["metadata"]
    eventually(errands.events, lambda seen: len(seen) == 2, 10, "events tell it")
    errands.delete()
    assert not errands.exists(), "nothing holds it"
    eventually(errands.jobs, lambda jobs: jobs == {}, 20, "the Job is collected")
    eventually(errands.pods, lambda pods: pods == [], 20, "and its pod")
    eventually(lambda: series(operator, errands.namespace), lambda lines: lines == [], 5, "its series are gone")
    time.sleep(2)
    assert len(errands.events()) == 2, "nothing is said about what is gone"
    errands.put()
    eventually(completed(errands), lambda c: c[0] == "True", 20, "one of the same name starts anew")


def test_what_no_owner_reference_removes_is_undone(errands: Errands, operator: Operator) -> None:
    errands.put(priority=5)
    eventually(completed(errands), lambda c: c[0] == "True", 20, "the Job is done")
    assert errands.get()["metadata"]["finalizers"] == [FINALIZER]
    assert list(errands.classes().values()) == [5]
    errands.delete()
    eventually(errands.exists, lambda there: not there, 10, "it goes")
    assert errands.classes() == {}, "nothing is left when it is gone"
    eventually(lambda: series(operator, errands.namespace), lambda lines: lines == [], 5, "its series are gone")


def test_an_errand_deleted_while_the_operator_was_away(errands: Errands, operator: Operator) -> None:
    for name in ("waits", "freed"):
        errands.put(name, priority=6)
        eventually(lambda name=name: errands.condition("Completed", name), lambda c: c[0] == "True", 20, "it is done")  # type: ignore[misc]  # a default binds the loop's name
    operator.stop()
    try:
        errands.delete("waits")
        errands.delete("freed")
        time.sleep(1)
        assert errands.exists("waits"), "its PriorityClass is still there"
        remedy = json.dumps({"metadata": {"finalizers": None}})
        errands.kubectl("patch", "errand", "freed", "--namespace", errands.namespace, "--type=merge", "-p", remedy)
        assert not errands.exists("freed"), "the documented remedy lets it go"
    finally:
        start(operator)
    eventually(lambda: errands.exists("waits"), lambda there: not there, 15, "the operator is back and lets it go")
    left = json.loads(errands.kubectl("get", "priorityclasses", "-l", "presage.dev/owner-uid", "-o", "json"))["items"]
    owners = {each["metadata"]["annotations"]["presage.dev/owner"].rpartition("/")[2] for each in left}
    assert "waits" not in owners
    assert "freed" in owners, "what the remedy leaves behind is what the docs say it does"
    errands.kubectl("delete", "priorityclasses", "-l", "presage.dev/owner-uid")


def test_what_cannot_be_undone_is_said_and_tried_again(errands: Errands, installed: Installed) -> None:
    errands.put(priority=8)
    eventually(completed(errands), lambda c: c[0] == "True", 20, "the Job is done")
    role = errands.kubectl.read("clusterrole", installed.cluster_role)
    fewer = [rule for rule in role["rules"] if rule["resources"] != ["priorityclasses"]]
    reading = {"apiGroups": ["scheduling.k8s.io"], "resources": ["priorityclasses"], "verbs": ["get", "list", "watch"]}
    _set_rules(errands.kubectl, installed.cluster_role, [*fewer, reading])
    try:
        errands.delete()
        eventually(lambda: errands.condition("Ready"), lambda c: c == ("False", "Forbidden"), 20, "it is said")
        assert "may not delete PriorityClass" in errands.get()["status"]["conditions"][0]["message"]
    finally:
        _set_rules(errands.kubectl, installed.cluster_role, role["rules"])
    eventually(errands.exists, lambda there: not there, 30, "it goes once the right is restored")
    assert errands.classes() == {}


def _set_rules(kubectl: Kubectl, role: str, rules: list[dict[str, Any]]) -> None:
    kubectl("patch", "clusterrole", role, "--type=merge", "-p", json.dumps({"rules": rules}))
