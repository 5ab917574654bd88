"""etcd, API server, controller-manager and scheduler: the same in both shapes."""

from __future__ import annotations

import json

from e2e.cluster.api import http_status
from e2e.cluster.parts import Layout, Part

SERVICE_NET = "10.96.0.0/16"
SERVICE_FIRST = "10.96.0.1"
"""Address of the Service `kubernetes`."""
POD_NETS = {"full": "10.244.0.0/16", "control": "10.98.0.0/16"}
"""Pod addresses by shape: apart, so that those of played pods never lead to real ones."""
PORTS = ("apiserver", "etcd", "etcd-peer", "etcd-metrics", "controller-manager", "scheduler")
USERS = ("controller-manager", "scheduler")
BINARIES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")

AUDIT_LOG = "audit.log"
"""Beside the other logs, of shape `full`: one JSON line for each write, with the pod that sent it."""
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
        {
            "level": "Request",
            "userGroups": ["system:serviceaccounts"],
            "verbs": ["create", "update", "patch", "delete", "deletecollection"],
        },
        {"level": "None"},
    ],
}
"""Only what pods write, Kubernetes' own controllers left out: few lines, and every one of them tells something."""

_PORT_TAKEN = "if the log says 'address already in use', end that program, or `down` and `up` for other ports"


def etcd(layout: Layout) -> Part:
    """Return etcd: TLS with client certificates, no fsync, since what it holds ends with the cluster."""
    client = f"https://127.0.0.1:{layout.ports['etcd']}"
    peer = f"https://127.0.0.1:{layout.ports['etcd-peer']}"
    argv = [
        str(layout.binaries["etcd"]),
        f"--data-dir={layout.state / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        f"--listen-metrics-urls={layout.local('etcd-metrics', '')}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]
    for prefix in ("", "peer-"):
        argv += [
            f"--{prefix}client-cert-auth",
            f"--{prefix}trusted-ca-file={layout.certificate('etcd-ca')}",
            f"--{prefix}cert-file={layout.certificate('etcd')}",
            f"--{prefix}key-file={layout.key('etcd')}",
        ]
    health = layout.local("etcd-metrics", "/health")
    return Part("etcd", tuple(argv), lambda: http_status(health) == 200, 30, _PORT_TAKEN)


def apiserver(layout: Layout) -> Part:
    """Return the API server, listening on the host address alone."""
    argv = [
        str(layout.binaries["kube-apiserver"]),
        f"--bind-address={layout.host_ip}",
        f"--advertise-address={layout.host_ip}",
        f"--secure-port={layout.ports['apiserver']}",
        f"--etcd-servers=https://127.0.0.1:{layout.ports['etcd']}",
        f"--etcd-cafile={layout.certificate('etcd-ca')}",
        f"--etcd-certfile={layout.certificate('etcd-client')}",
        f"--etcd-keyfile={layout.key('etcd-client')}",
        f"--service-cluster-ip-range={SERVICE_NET}",
        f"--client-ca-file={layout.certificate('ca')}",
        f"--tls-cert-file={layout.certificate('apiserver')}",
        f"--tls-private-key-file={layout.key('apiserver')}",
        f"--service-account-key-file={layout.pki / 'sa.pub'}",
        f"--service-account-signing-key-file={layout.key('sa')}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        f"--requestheader-client-ca-file={layout.certificate('front-proxy-ca')}",
        "--requestheader-allowed-names=front-proxy",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--proxy-client-cert-file={layout.certificate('front-proxy')}",
        f"--proxy-client-key-file={layout.key('front-proxy')}",
        "--enable-aggregator-routing=true",
        "--profiling=false",
    ]
    if layout.shape == "full":
        policy = layout.state / "audit-policy.json"
        policy.write_text(json.dumps(AUDIT_POLICY, indent=1))
        argv += [
            f"--audit-policy-file={policy}",
            f"--audit-log-path={layout.state / 'logs' / AUDIT_LOG}",
            f"--kubelet-client-certificate={layout.certificate('kubelet-client')}",
            f"--kubelet-client-key={layout.key('kubelet-client')}",
            f"--kubelet-certificate-authority={layout.certificate('ca')}",
            "--kubelet-preferred-address-types=InternalIP",
        ]
    else:
        argv.append("--endpoint-reconciler-type=none")  # Endpoints refuse the loopback address it listens on
    api = layout.api
    argv += layout.server_options
    return Part("kube-apiserver", tuple(argv), api.healthy, 90, _PORT_TAKEN)


def controller_manager(layout: Layout) -> Part:
    """Return the controller manager, without the usual limits on its rate of calls."""
    argv = [
        str(layout.binaries["kube-controller-manager"]),
        *_client(layout, "controller-manager"),
        f"--service-account-private-key-file={layout.key('sa')}",
        f"--root-ca-file={layout.certificate('ca')}",
        "--use-service-account-credentials=true",
        f"--cluster-cidr={POD_NETS[layout.shape]}",
        "--allocate-node-cidrs=true",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--concurrent-deployment-syncs=10",
        "--concurrent-replicaset-syncs=10",
        "--concurrent-service-endpoint-syncs=10",
        "--concurrent-gc-syncs=10",
        "--concurrent-namespace-syncs=10",
    ]
    return _controller(layout, "kube-controller-manager", "controller-manager", argv)


def scheduler(layout: Layout) -> Part:
    """Return the scheduler."""
    argv = [str(layout.binaries["kube-scheduler"]), *_client(layout, "scheduler")]
    argv += ["--kube-api-qps=200", "--kube-api-burst=400"]
    return _controller(layout, "kube-scheduler", "scheduler", argv)


def _client(layout: Layout, user: str) -> list[str]:
    config = layout.config(user)
    return [
        f"--kubeconfig={config}",
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        "--bind-address=127.0.0.1",
        f"--secure-port={layout.ports[user]}",
        f"--tls-cert-file={layout.certificate('local')}",
        f"--tls-private-key-file={layout.key('local')}",
        "--leader-elect=false",
        "--profiling=false",
    ]


def _controller(layout: Layout, name: str, user: str, argv: list[str]) -> Part:
    api = layout.api
    health = layout.local(user, "/healthz", "https")
    return Part(name, tuple(argv), lambda: api.healthy(health), 30, _PORT_TAKEN)
