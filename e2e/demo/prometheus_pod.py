"""The demo's Prometheus as a pod, for clusters beside which nothing of ours can run.

It does what the process beside our own cluster does: history as blocks before it first starts, a scrape each second.
The images hold one program each and no shell, so promtool writes the blocks in init containers. The history comes from
ConfigMaps, whose size is limited. Queries go through the API server.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from e2e.demo import manifests
from e2e.demo.errors import DemoError
from e2e.demo.kube import Kubectl, Manifest
from e2e.demo.prometheus import FLAGS, NAME, PORT, PrometheusServer

TOOL_ROLE = "promtool"
_CHUNK_BYTES = 900_000  # a ConfigMap holds 1 MiB
_USER = 65535
_END = "# EOF\n"


def split_openmetrics(text: str, most_bytes: int = _CHUNK_BYTES) -> list[str]:
    """Return the samples of one family as several complete texts, none longer than `most_bytes`."""
    head, *samples = text.removesuffix(_END).splitlines(keepends=True)
    chunks, size = [[head]], len(head)
    for line in samples:
        if size + len(line) + len(_END) > most_bytes:
            chunks.append([head])
            size = len(head)
        chunks[-1].append(line)
        size += len(line)
    return ["".join(chunk) + _END for chunk in chunks]


def build_rights() -> list[Manifest]:
    """Return the right to find pods in both namespaces, and nothing else."""
    meta = {"name": NAME, "namespace": manifests.NAMESPACE}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}
    found: list[Manifest] = [account]
    for namespace in (manifests.NAMESPACE, manifests.OPERATOR_NAMESPACE):
        place = {"name": NAME, "namespace": namespace}
        api = "rbac.authorization.k8s.io"
        rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]
        found.append({"apiVersion": f"{api}/v1", "kind": "Role", "metadata": place, "rules": rules})
        reference = {"apiGroup": api, "kind": "Role", "name": NAME}
        subjects = [{"kind": "ServiceAccount", **meta}]
        found.append(
            {
                "apiVersion": f"{api}/v1",
                "kind": "RoleBinding",
                "metadata": place,
                "roleRef": reference,
                "subjects": subjects,
            }
        )
    return found


def build_pod(server: str, tool: str, chunks: int) -> list[Manifest]:
    """Return pod and Service; the history lies in as many ConfigMaps as there are chunks."""
    security = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    data = {"name": "data", "mountPath": "/data"}
    loaders = [
        {
            "name": f"history-{number}",
            "image": tool,
            "imagePullPolicy": "IfNotPresent",
            "env": [{"name": "TMPDIR", "value": "/data"}],  # the image has no /tmp
            "args": ["tsdb", "create-blocks-from", "openmetrics", "/history/history.om", "/data"],
            "securityContext": security,
            "volumeMounts": [data, {"name": f"history-{number}", "mountPath": "/history"}],
        }
        for number in range(chunks)
    ]
    container = {
        "name": "prometheus",
        "image": server,
        "imagePullPolicy": "IfNotPresent",
        "args": [
            "--config.file=/config/prometheus.yml",
            "--storage.tsdb.path=/data",
            f"--web.listen-address=:{PORT}",
            *FLAGS,
        ],
        "ports": [{"name": "web", "containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/-/ready", "port": "web"}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": security,
        "volumeMounts": [data, {"name": "config", "mountPath": "/config"}],
    }
    volumes: list[dict[str, Any]] = [{"name": "data", "emptyDir": {}}, {"name": "config", "configMap": {"name": NAME}}]
    volumes += [{"name": f"history-{n}", "configMap": {"name": f"{NAME}-history-{n}"}} for n in range(chunks)]
    meta = {"name": NAME, "namespace": manifests.NAMESPACE, "labels": {"app": NAME}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {
            "serviceAccountName": NAME,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _USER,
                "fsGroup": _USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "initContainers": loaders,
            "containers": [container],
            "volumes": volumes,
        },
    }
    ports = [{"name": "web", "port": PORT, "targetPort": "web"}]
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {"selector": {"app": NAME}, "ports": ports},
    }
    return [pod, service]


def _config_map(name: str, key: str, text: str) -> Manifest:
    meta = {"name": name, "namespace": manifests.NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {key: text}}


class PrometheusPod(PrometheusServer):
    """Prometheus in the demo's namespace.

    Args:
        kubectl: Aimed at the cluster.
        provide_images: Sees that the nodes have the images of server and tool; returns their names.
    """

    kubeconfig = None  # it finds pods by its service account
    start_seconds = 40  # a pod with init containers takes longer than a process

    def __init__(self, kubectl: Kubectl, provide_images: Callable[[], tuple[str, str]]) -> None:
        self._kubectl = kubectl
        self._provide_images = provide_images
        self._images = ("", "")
        self._history: list[str] = []
        self.url = f"http://{NAME}.{manifests.NAMESPACE}.svc:{PORT}"

    def provide(self) -> None:
        """See that the nodes have its images."""
        self._images = self._provide_images()

    def prepare(self, config: str) -> None:
        """Remove an earlier one and put the configuration into the cluster."""
        self.remove()
        self._history = []
        self._kubectl.apply(*build_rights(), _config_map(NAME, "prometheus.yml", config))

    def import_history(self, openmetrics: str) -> None:
        """Put samples into the cluster, to be written as blocks before it starts."""
        self._history = split_openmetrics(openmetrics)
        for number, text in enumerate(self._history):
            self._kubectl.apply(_config_map(f"{NAME}-history-{number}", "history.om", text))

    def start(self) -> None:
        """Start it; return when it answers."""
        self._kubectl.apply(*build_pod(*self._images, len(self._history)))
        place = f"-n={manifests.NAMESPACE}"
        self._kubectl.run("wait", "--for=condition=Ready", f"pod/{NAME}", place, "--timeout=90s")

    def remove(self) -> None:
        """Remove it with what it stored; rights and configuration go with the namespace."""
        place = f"-n={manifests.NAMESPACE}"
        self._kubectl.run("delete", f"pod/{NAME}", f"service/{NAME}", place, "--ignore-not-found", "--timeout=60s")

    def get(self, path: str, parameters: dict[str, str]) -> dict[str, Any]:
        """Return the answer to one GET, by the API server's proxy."""
        proxy = f"/api/v1/namespaces/{manifests.NAMESPACE}/services/{NAME}:web/proxy"
        try:
            return self._kubectl.raw(f"{proxy}{path}?{urlencode(parameters)}")
        except json.JSONDecodeError as error:
            raise DemoError(f"Prometheus at {self.url} gives no JSON: {error}") from error
