"""The Kubernetes objects of the demo, as plain dictionaries (pure)."""

from __future__ import annotations

from typing import Any

from e2e.demo.plan import Plan
from presage.core.recording.marks import LABEL

NAMESPACE = "presage-demo"
OPERATOR_NAMESPACE = "presage-system"
RELEASE = "presage"
FUNCTION = "order"
EVENT_TYPE = "order"
GENERATOR = "loadgen"
SOURCE = "demo"
PORT = 8080
OWNER = ("app.kubernetes.io/managed-by", "presage-demo")
"""Label of the namespaces that the demo made and may remove."""

RECORDING_CPU_PERCENT = "50"
"""The function waits and does nothing, so that it asks for next to no CPU: a hundredth of that records no order."""

_POD_SECURITY = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
_CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def build_namespace(name: str) -> dict[str, Any]:
    """Return a namespace under the strictest pod security."""
    level = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
    labels = {**level, OWNER[0]: OWNER[1]}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _container(name: str, image: str, args: list[str], probe_path: str, probe: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": args,
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": probe_path, "port": "http"}, **probe},
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": _CONTAINER_SECURITY,
    }


def build_function(image: str, plan: Plan, replicas: int) -> list[dict[str, Any]]:
    """Return Deployment and Service of the function that is scaled."""
    labels = {"app": FUNCTION}
    args = [
        "presage.dataplane.demo.function",
        f"--port={PORT}",
        f"--capacity={plan.capacity:g}",
        f"--startup-seconds={plan.startup_seconds:g}",
    ]
    probe = {"periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 3}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": FUNCTION, "namespace": NAMESPACE, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": {**labels, LABEL: FUNCTION}},
                "spec": {
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "terminationGracePeriodSeconds": 10,
                    "securityContext": _POD_SECURITY,
                    "containers": [_container("function", image, args, "/readyz", probe)],
                },
            },
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": FUNCTION, "namespace": NAMESPACE},
        "spec": {"selector": labels, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    }
    return [deployment, service]


def build_generator(image: str, schedule: str) -> list[dict[str, Any]]:
    """Return the load generator's pod and the ConfigMap with its schedule."""
    meta = {"name": GENERATOR, "namespace": NAMESPACE}
    args = [
        "presage.dataplane.demo.loadgen",
        "--schedule=/etc/load/schedule.json",
        f"--host={FUNCTION}.{NAMESPACE}.svc.cluster.local",
        f"--port={PORT}",
    ]
    container = _container("loadgen", image, args, "/readyz", {"periodSeconds": 1})
    container["volumeMounts"] = [{"name": "load", "mountPath": "/etc/load", "readOnly": True}]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**meta, "labels": {"app": GENERATOR}},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 1,
            "restartPolicy": "Never",
            "securityContext": _POD_SECURITY,
            "containers": [container],
            "volumes": [{"name": "load", "configMap": {"name": GENERATOR}}],
        },
    }
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"schedule.json": schedule}}
    return [config, pod]


def build_source(url: str) -> dict[str, Any]:
    """Return the MetricSource that names the demo's Prometheus."""
    return {
        "apiVersion": "presage.dev/v1alpha1",
        "kind": "MetricSource",
        "metadata": {"name": SOURCE},
        "spec": {"url": url, "namespaces": {"names": [NAMESPACE]}, "limits": {"timeoutSeconds": 5}},
    }


def build_levels(plan: Plan) -> list[dict[str, Any]]:
    """Return what is recorded of the function's orders, by load."""
    return [
        {"profile": level.profile, **({"above": f"{level.above:g}"} if level.above else {})} for level in plan.levels
    ]


def build_profile(plan: Plan, history_days: int) -> dict[str, Any]:
    """Return the MetricProfile of the function, its times scaled to the compressed day."""
    wanted = {"namespace": NAMESPACE, "route": "/order"}
    counter = {
        "metric": "http_requests_total",
        "matchers": [{"label": label, "op": "=", "value": value} for label, value in wanted.items()],
        "windowSeconds": plan.window_seconds,
    }
    return {
        "apiVersion": "presage.dev/v1alpha1",
        "kind": "MetricProfile",
        "metadata": {"name": FUNCTION, "namespace": NAMESPACE},
        "spec": {
            "target": {"apiVersion": "apps/v1", "kind": "Deployment", "name": FUNCTION},
            "sourceRef": {"name": SOURCE},
            "eventTypes": [{"name": EVENT_TYPE, "load": {"counter": counter}, "levels": build_levels(plan)}],
            "budget": {"cpuPercent": RECORDING_CPU_PERCENT},
            "forecast": {
                "stepSeconds": plan.step_seconds,
                "historySeconds": history_days * plan.day_seconds,
                "horizonSeconds": plan.horizon_seconds,
                "seasonsSeconds": [plan.day_seconds],
            },
            "scaling": {
                "mode": "Auto",
                "via": "Scale",
                "minReplicas": plan.min_replicas,
                "maxReplicas": plan.max_replicas,
                "perPod": f"{plan.capacity:g}",
                "objective": {"unmetLoad": plan.unmet_load},
                "stabilizationWindowSeconds": plan.stabilization_seconds,
                "maxDownPercent": 100,
                "downPeriodSeconds": plan.decision_seconds,
                "decisionPeriodSeconds": plan.decision_seconds,
                "maxSampleAgeSeconds": 10,
            },
        },
    }


def load_query(plan: Plan) -> str:
    """Return the PromQL of the load that the profile describes, for showing and for checks."""
    return f'sum(rate(http_requests_total{{namespace="{NAMESPACE}",route="/order"}}[{plan.window_seconds}s]))'
