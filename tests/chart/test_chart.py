"""The chart as Helm renders it: lint, snapshots, and what must hold for every set of values.

`PRESAGE_UPDATE_SNAPSHOTS=1 pytest tests/chart` writes the snapshots anew.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
import yaml

from presage.runtime.settings import read_settings
from tests.chart.templates import CHART, POLICY_APIS, injection, objects, render, run

HERE = Path(__file__).parent
SETS: dict[str, Path | None] = {"default": None} | {
    path.stem: path for path in sorted((HERE / "values").glob("*.yaml"))
}


@pytest.fixture(params=SETS, scope="module")
def rendered(request: pytest.FixtureRequest, helm: Path) -> tuple[str, str]:
    return request.param, render(helm, SETS[request.param], *POLICY_APIS["1.36"][1])


@pytest.mark.parametrize("values", SETS.values(), ids=SETS)
def test_lint(helm: Path, values: Path | None) -> None:
    done = run(helm, "lint", "--strict", str(CHART), values=values)
    assert done.returncode == 0, done.stdout + done.stderr


def fold(text: str) -> str:
    """Leave out what is a copy of a file of the chart."""
    dashboard = indent((CHART / "files/dashboard.json").read_text(encoding="utf-8").strip(), "    ")
    return text.replace(dashboard, "    # files/dashboard.json")


def test_snapshot(rendered: tuple[str, str]) -> None:
    name, text = rendered[0], fold(rendered[1])
    snapshot = HERE / "snapshots" / f"{name}.yaml"
    if os.environ.get("PRESAGE_UPDATE_SNAPSHOTS"):
        snapshot.write_text(text, encoding="utf-8")
    assert text == snapshot.read_text(encoding="utf-8"), "set PRESAGE_UPDATE_SNAPSHOTS=1 if the change is meant"


def test_pods_are_restricted(rendered: tuple[str, str]) -> None:
    """What the restricted pod security standard asks for, and a read-only root on top."""
    pod = objects(rendered[1])["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert {next(iter(volume.keys() - {"name"})) for volume in pod["volumes"]} == {"emptyDir"}
    for container in pod["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys()


def test_parts_fit_together(rendered: tuple[str, str]) -> None:
    found = objects(rendered[1])
    template = found["Deployment"]["spec"]["template"]
    selector = found["Deployment"]["spec"]["selector"]["matchLabels"].items()
    assert selector <= template["metadata"]["labels"].items()
    if "Service" in found:
        assert found["Service"]["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    if "NetworkPolicy" in found:
        ingress = found["NetworkPolicy"]["spec"]["ingress"]
        ports = [port["port"] for rule in ingress for port in rule["ports"]]
        assert ports == [each["containerPort"] for each in template["spec"]["containers"][0]["ports"]]
    if "ServiceMonitor" in found:
        service, monitor = found["Service"], found["ServiceMonitor"]["spec"]
        assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        assert monitor["namespaceSelector"]["matchNames"] == [service["metadata"]["namespace"]]
        assert [each["port"] for each in monitor["endpoints"]] == [each["name"] for each in service["spec"]["ports"]]
    if "PodDisruptionBudget" in found:
        assert found["PodDisruptionBudget"]["spec"]["selector"] == found["Deployment"]["spec"]["selector"]
    if "ServiceAccount" in found:
        assert template["spec"]["serviceAccountName"] == found["ServiceAccount"]["metadata"]["name"]


@pytest.mark.parametrize(("replicas", "budgets"), [(1, 0), (2, 1), (3, 1)])
def test_a_budget_never_blocks_a_drain(helm: Path, replicas: int, budgets: int) -> None:
    rendered = objects(render(helm, None, "--set", f"replicas={replicas}"))
    found = [each["spec"] for kind, each in rendered.items() if kind == "PodDisruptionBudget"]
    assert [each["maxUnavailable"] for each in found] == [1] * budgets


def test_what_needs_other_peoples_crds_is_off(helm: Path) -> None:
    groups = {each["apiVersion"].rpartition("/")[0] for each in objects(render(helm)).values()}
    assert "monitoring.coreos.com" not in groups


def test_rules_and_dashboard_are_those_of_the_files(helm: Path) -> None:
    found = objects(render(helm, SETS["full"]))
    rules_file = yaml.safe_load((CHART / "files/alerts.yaml").read_text(encoding="utf-8"))
    assert found["PrometheusRule"]["spec"] == rules_file
    dashboard = json.loads((CHART / "files/dashboard.json").read_text(encoding="utf-8"))
    assert json.loads(found["ConfigMap"]["data"]["presage.json"]) == dashboard


def test_what_an_upgrade_cannot_change_stays(rendered: tuple[str, str]) -> None:
    """Kubernetes refuses another selector of a Deployment: these labels are for ever."""
    assert objects(rendered[1])["Deployment"]["spec"]["selector"]["matchLabels"] == {
        "app.kubernetes.io/name": "presage",
        "app.kubernetes.io/instance": "presage",
        "app.kubernetes.io/component": "operator",
    }


def rules(rendered: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind, each in [*objects(rendered).items(), *injection(rendered).items()]:
        for rule in each.get("rules", ()):
            yield kind, rule


def test_rights_are_few(helm: Path) -> None:
    for kind, rule in rules(render(helm)):
        said = json.dumps(rule)
        assert "*" not in said
        assert "customresourcedefinitions" not in said
        assert not {"deletecollection", "escalate", "bind", "impersonate"} & set(rule["verbs"])
        # PodMonitors are named after their content, so one that is out of date goes; nothing else is ever deleted.
        assert "delete" not in rule["verbs"] or rule["resources"] == ["podmonitors"]
        if kind == "ClusterRole":
            assert not {"secrets", "leases"} & set(rule["resources"])
            assert not ({"metricprofiles", "metricsources"} & set(rule["resources"]) and "patch" in rule["verbs"])


def test_rules_in_the_role_are_those_of_the_file(helm: Path) -> None:
    wanted = yaml.safe_load((CHART / "files/clusterrole-rules.yaml").read_text(encoding="utf-8"))
    assert objects(render(helm))["ClusterRole"]["rules"] == wanted


def test_lease_can_be_limited_by_name(helm: Path) -> None:
    leases = [rule for _, rule in rules(render(helm)) if rule["resources"] == ["leases"]]
    assert leases == [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "resourceNames": ["presage-operator"],
            "verbs": ["get", "update"],
        },
    ]


def test_environment_of_the_operator(helm: Path) -> None:
    container = objects(render(helm))["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    given = {each["name"]: each.get("value") for each in container["env"]}
    assert container["args"] == ["operator"]
    assert given == {
        "PRESAGE_NAMESPACE": None,
        "PRESAGE_POD_NAME": None,
        "PRESAGE_HTTP_PORT": "8080",
        "PRESAGE_LOG_LEVEL": "info",
        "PRESAGE_WORKERS": "4",
        "PRESAGE_FIT_WORKERS": "1",
        "PRESAGE_FIT_DEADLINE_SECONDS": "20",
        "PRESAGE_LEASE_DURATION_SECONDS": "10",
        "PRESAGE_LEASE_RENEW_SECONDS": "2",
        "PRESAGE_RESYNC_SECONDS": "600",
        "PRESAGE_STATUS_REFRESH_SECONDS": "600",
        "PRESAGE_STRICT_CERTIFICATES": "true",
        "PRESAGE_ALLOW_LOOPBACK": "false",
        "PRESAGE_OBJECT_METRICS": "true",
        "PRESAGE_INJECTION_CHECK_SECONDS": "600",
        "PRESAGE_INJECTION_WEBHOOK": "Auto",
        "PRESAGE_INJECTION_WEBHOOK_PORT": "8443",
        "PRESAGE_INJECTION_WEBHOOK_SERVICE": "presage-webhook",
        "PRESAGE_INJECTION_CERTIFICATE": "SelfManaged",
        "PRESAGE_INJECTION_EXPORT_INTERVAL_SECONDS": "60",
        "PRESAGE_INJECTION_OTLP_ENDPOINT": "",
    }


CATALOGUE = [{"name": "Standard", "metrics": [{"name": "latency", "everyEvents": 20, "attributes": ["route"]}]}]


def test_the_catalogue_reaches_the_operator(helm: Path) -> None:
    container = objects(render(helm, None, "--set-json", f"profiles={json.dumps(CATALOGUE)}"))["Deployment"]["spec"][
        "template"
    ]["spec"]["containers"][0]
    given = {each["name"]: each.get("value") for each in container["env"]}
    assert json.loads(given["PRESAGE_PROFILES"]) == CATALOGUE
    assert read_settings({"PRESAGE_PROFILES": given["PRESAGE_PROFILES"]}).profiles[0].name == "Standard"


@pytest.mark.parametrize(
    ("catalogue", "says"),
    [
        pytest.param({"metrics": [{"name": "a"}]}, "name", id="without a name"),
        pytest.param({"name": "Own", "metrics": []}, "metrics", id="without metrics"),
        pytest.param({"name": "Own", "metrics": [{"name": "a", "everyEvent": 2}]}, "everyEvent", id="a typing error"),
        pytest.param({"name": "Own", "metrics": [{"name": "events"}]}, "name", id="a name that is taken"),
        pytest.param({"name": "Own", "metrics": [{"name": 'a"b'}]}, "name", id="a hostile name"),
        pytest.param({"name": "Own", "metrics": [{"name": "a"}] * 2}, "metric a twice", id="a metric twice"),
        pytest.param({"name": "Own", "metrics": [{"name": "a", "attributes": ["presage_x"]}]}, "attributes", id="ours"),
        pytest.param({"name": "Own", "metrics": [{"name": "a", "retention": "1y"}]}, "retention", id="no tier"),
    ],
)
def test_a_broken_catalogue_is_refused(helm: Path, catalogue: dict[str, Any], says: str) -> None:
    done = run(helm, "template", "presage", str(CHART), "--set-json", f"profiles={json.dumps([catalogue])}")
    assert done.returncode != 0
    assert says in done.stderr


def test_a_profile_twice_is_refused(helm: Path) -> None:
    done = run(helm, "template", "presage", str(CHART), "--set-json", f"profiles={json.dumps(CATALOGUE * 2)}")
    assert "profiles names Standard twice" in done.stderr


def bounds(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, str, object]]:
    """Yield each bound of a schema: where, which, and how much."""
    for keyword in ("type", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"):
        if keyword in schema:
            yield path, keyword, schema[keyword]
    yield path, "required", sorted(schema.get("required", ()))
    for name, child in schema.get("properties", {}).items():
        yield from bounds(child, f"{path}.{name}")
    if "items" in schema:
        yield from bounds(schema["items"], f"{path}[]")


def test_the_catalogue_has_the_bounds_of_the_crd() -> None:
    values = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))["properties"]["profiles"]
    (version,) = yaml.safe_load((CHART / "crds/metricprofiles.yaml").read_text(encoding="utf-8"))["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["profiles"]
    assert set(map(str, bounds(values))) == set(map(str, bounds(spec)))


def test_crds_come_with_the_chart(helm: Path) -> None:
    kinds = [each["spec"]["names"]["kind"] for each in yaml.safe_load_all(render(helm, None, "--include-crds"))
             if each and each["kind"] == "CustomResourceDefinition"]  # fmt: skip
    assert sorted(kinds) == ["MetricProfile", "MetricSource"]


def test_the_admission_policy_knows_every_kind_of_target(helm: Path) -> None:
    """It asks about Deployments by name: another kind of target must be asked about too."""
    crd = yaml.safe_load((CHART / "crds/metricprofiles.yaml").read_text(encoding="utf-8"))
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    target = spec["properties"]["target"]["properties"]
    assert (target["apiVersion"]["enum"], target["kind"]["enum"]) == (["apps/v1"], ["Deployment"])
    policy = objects(render(helm))["ValidatingAdmissionPolicy"]["spec"]
    served = [version["name"] for version in crd["spec"]["versions"]]
    assert policy["matchConstraints"]["resourceRules"][0]["apiVersions"] == served
    assert "resource('deployments').subresource('scale')" in str(policy["variables"])


def test_the_admission_policy_can_be_switched_off(helm: Path) -> None:
    rendered = render(helm, None, "--set", "admissionPolicy.enabled=false")
    assert not [kind for kind in objects(rendered) if kind.startswith("ValidatingAdmissionPolicy")]


REFUSED = {
    "unknown value": "replica=2",
    "no replica": "replicas=0",
    "log level": "operator.logLevel=loud",
    "pull policy": "image.pullPolicy=Sometimes",
    "digest": "image.digest=latest",
    "privileged port": "operator.httpPort=80",
    "port as text": "metricsService.port=http",
    "lease": "operator.leaseDurationSeconds=1",
    "renewed too late": "operator.leaseRenewSeconds=4",
    "label that selects": r"podLabels.app\.kubernetes\.io/name=other",
    "monitor without Service": "serviceMonitor.enabled=true,metricsService.enabled=false",
    "interval without unit": "serviceMonitor.interval=15",
    "action unknown": "admissionPolicy.validationActions={Allow}",
    "endpoint that is no URL": "injection.otlpEndpoint=collector:4318",
    "endpoint that leaves its quotes": "injection.otlpEndpoint=http://a'b",
    "webhook's mode": "injection.webhook.mode=Sometimes",
    "webhook's port": "injection.webhook.port=443",
    "actions that exclude each other": "admissionPolicy.validationActions={Deny,Warn}",
}


@pytest.mark.parametrize("setting", REFUSED.values(), ids=REFUSED)
def test_bad_values_are_refused(helm: Path, setting: str) -> None:
    done = run(helm, "template", "presage", str(CHART), "--set", setting)
    assert done.returncode != 0
    named = re.split(r"(?<!\\)\.", setting.split("=")[0])[-1].replace("\\", "")
    assert named in done.stderr


def test_every_value_is_in_the_schema_and_commented() -> None:
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    assert list(_unknown(yaml.safe_load(text), schema)) == []
    text = re.sub(r"^resources:\n(  .*\n)+", "", text, flags=re.MULTILINE)  # Kubernetes' own fields
    values = [
        (above.strip(), line) for above, line in pairwise(text.splitlines()) if re.match(r" *[a-zA-Z]+: \S", line)
    ]
    assert [line for above, line in values if not above.startswith("#")] == []


def test_the_schema_is_closed_and_names_no_value_that_is_not_there() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    del schema["properties"]["global"]  # Helm's own
    blocks = [("values", schema, values)]
    for name, block, given in blocks:
        assert block["additionalProperties"] is False, name
        assert block["properties"].keys() == given.keys(), name
        inner = block["properties"].items()
        blocks += [(f"{name}.{key}", each, given[key]) for key, each in inner if "properties" in each]


def _unknown(values: dict[str, Any], schema: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, value in values.items():
        known = schema["properties"].get(name)
        if known is None or "description" not in known:
            yield f"{path}.{name}"
        elif isinstance(value, dict) and "properties" in known:
            yield from _unknown(value, known, f"{path}.{name}")
