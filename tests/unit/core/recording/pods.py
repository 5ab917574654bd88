"""Pods and what is added to them at admission: one table for the webhook's function, the webhook and the policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PROFILE = "presage.dev/profile"
CONFIG = {"name": "presage-recording", "configMap": {"name": "presage-shop", "optional": True}}
MOUNT = {"name": "presage-recording", "mountPath": "/etc/presage/recording", "readOnly": True}

OWN = ("PRESAGE_PROFILE_FILE", "PRESAGE_POD_NAME")
OTEL = ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_METRIC_EXPORT_INTERVAL")
ALL = OWN + OTEL
Json = dict[str, Any]


def container(name: str = "main", **fields: Any) -> Json:
    return {"name": name, "image": "registry.invalid/shop:1", **fields}


def env(*names: str) -> list[Json]:
    return [{"name": name, "value": "mine"} for name in names]


def mount(path: str, name: str = "own") -> Json:
    return {"name": name, "mountPath": path}


@dataclass(frozen=True)
class Case:
    """One pod.

    Attributes:
        containers: Its containers.
        want: Variables that are added, by container; a container that is not named is left as it is.
        volumes: Its volumes.
        labels: Its labels.
        annotations: Its annotations.
        spec: More of its spec.
        adds_volume: Whether the volume is added; None: where any container is given anything.
        adds_mount: Whether those containers are given the mount.
    """

    containers: list[Json]
    want: dict[str, tuple[str, ...]]
    volumes: list[Json] | None = None
    labels: dict[str, str] = field(default_factory=lambda: {PROFILE: "shop"})
    annotations: dict[str, str] = field(default_factory=dict)
    spec: Json = field(default_factory=dict)
    adds_volume: bool | None = None
    adds_mount: bool = True

    def build(self, name: str = "pod", **labels: str) -> Json:
        """Return the pod, with more labels."""
        metadata = {"name": name, "labels": {**self.labels, **labels}, "annotations": self.annotations}
        volumes = {} if self.volumes is None else {"volumes": self.volumes}
        spec = {"automountServiceAccountToken": False, "containers": self.containers, **volumes, **self.spec}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _path_case(*paths: str, taken: bool) -> Case:
    """Return a pod whose first container mounts something of the user's; the second one is free."""
    first = container("first", volumeMounts=[mount(path) for path in paths])
    want = {"second": ALL} if taken else {"first": ALL, "second": ALL}
    return Case([first, container("second")], want, volumes=[{"name": "own", "emptyDir": {}}])


CASES = {
    "plain": Case([container()], {"main": ALL}),
    "two containers, an init container": Case(
        [container("a"), container("b", command=["run"], securityContext={"runAsNonRoot": True})],
        {"a": ALL, "b": ALL},
        spec={"initContainers": [container("init")]},
    ),
    "a volume and variables of the user's": Case(
        [container(env=env("A"), volumeMounts=[mount("/data")])],
        {"main": ALL},
        volumes=[{"name": "own", "emptyDir": {}}],
    ),
    "host network and another service account": Case([container()], {"main": ALL}, spec={"hostNetwork": True}),
    "no label": Case([container()], {}, labels={}),
    "empty label": Case([container()], {}, labels={PROFILE: ""}),
    "label that is no name": Case([container()], {}, labels={PROFILE: "Shop_1"}),
    "label with a dot": Case([container()], {"main": ALL}, labels={PROFILE: "shop.eu"}),
    "mirror of a static pod": Case(
        [container()],
        {},
        annotations={"kubernetes.io/config.mirror": "x"},
        spec={"nodeName": "control-1"},
    ),
    "service name of the user's": Case(
        [container(env=env("OTEL_SERVICE_NAME"))], {"main": (*OWN, OTEL[1], OTEL[2])}
    ),
    "attributes of the user's, which may name the service": Case(
        [container(env=env("OTEL_RESOURCE_ATTRIBUTES"))], {"main": (*OWN, OTEL[2])}
    ),
    "interval of the user's": Case([container(env=env("OTEL_METRIC_EXPORT_INTERVAL"))], {"main": (*OWN, *OTEL[:2])}),
    "configuration file": Case([container(env=env("OTEL_CONFIG_FILE"))], {"main": OWN}),
    "configuration file, by its older name": Case(
        [container(env=env("OTEL_EXPERIMENTAL_CONFIG_FILE"))], {"main": OWN}
    ),
    "configuration file in one container of two": Case(
        [container("a", env=env("OTEL_CONFIG_FILE")), container("b")], {"a": OWN, "b": ALL}
    ),
    "variables from elsewhere": Case(
        [container(envFrom=[{"configMapRef": {"name": "settings", "optional": True}}])], {"main": OWN}
    ),
    "a variable twice": Case([container(env=env("A", "A"))], {"main": ALL}),
    "a file of the user's": Case([container(env=env("PRESAGE_PROFILE_FILE"))], {"main": ("PRESAGE_POD_NAME", *OTEL)}),
    "an empty value is a value": Case(
        [container(env=[{"name": "OTEL_SERVICE_NAME"}])], {"main": (*OWN, OTEL[1], OTEL[2])}
    ),
    "volume name taken": Case([container()], {}, volumes=[{"name": "presage-recording", "emptyDir": {}}]),
    "volume of another profile": Case(
        [container()], {}, volumes=[{**CONFIG, "configMap": {"name": "presage-other", "optional": True}}]
    ),
    "volume there already": Case([container()], {"main": ALL}, volumes=[CONFIG], adds_volume=False),
    "mounted already": Case(
        [container(volumeMounts=[MOUNT])], {"main": ALL}, volumes=[CONFIG], adds_volume=False, adds_mount=False
    ),
    "all there already": Case(
        [container(volumeMounts=[MOUNT], env=env(*ALL))],
        {"main": ()},
        volumes=[CONFIG],
        adds_volume=False,
        adds_mount=False,
    ),
    "path taken": _path_case("/etc/presage/recording", taken=True),
    "path taken, with slashes": _path_case("//etc/presage//recording/", taken=True),
    "path taken, without the first slash": _path_case("etc/presage/recording", taken=True),
    "a mount above": _path_case("/etc/presage", taken=True),
    "a mount far above": _path_case("/etc/", taken=True),
    "a mount below": _path_case("/etc/presage/recording/more", taken=True),
    "mounts beside": _path_case(
        "/etc/presage2", "/etc/presage/other", "/etcetera", "/opt/etc/presage/recording", "/etc/presage/recordings",
        taken=False,
    ),
    "path taken in every container": Case(
        [container(volumeMounts=[mount("/etc")])], {}, volumes=[{"name": "own", "emptyDir": {}}]
    ),
}  # fmt: skip
