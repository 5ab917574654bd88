"""One real node: containerd, kubelet, kube-proxy and a name server, on this very machine."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from e2e.cluster import control_plane, network
from e2e.cluster.api import http_status
from e2e.cluster.parts import Layout, Part

NAME = "presage-node"
DOMAIN = "cluster.local"
MAX_PODS = 110
PORTS = ("containerd-metrics", "kubelet", "kubelet-health", "proxy-health", "proxy-metrics", "dns-health", "dns-ready")
USERS = ("kubelet", "proxy", "dns")
BINARIES = ("containerd", "containerd-shim-runc-v2", "ctr", "kubelet", "kube-proxy", "coredns", "pause")
PACKAGES = ("runc", "containernetworking-plugins", "iptables", "iproute2")
RUN = Path("/run/presage")
"""Sockets and what must be on a short path; the rest of a cluster is in its state folder."""
SOCKET = RUN / "containerd.sock"
CONTAINER_LOG_LINKS = Path("/var/log/containers")
"""Where every kubelet puts links to its containers' logs; the path is fixed in it."""


def containerd(layout: Layout) -> Part:
    """Return containerd with its own root, state and sockets, so that no other one is touched."""
    _write(layout.state / "containerd.toml", containerd_config(layout))
    shims = layout.binaries["containerd-shim-runc-v2"].parent
    path = f"{shims}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    argv = (str(layout.binaries["containerd"]), f"--config={layout.state / 'containerd.toml'}")

    def ready() -> bool:
        words = [str(layout.binaries["ctr"]), "-a", str(SOCKET), "--timeout=2s", "version"]
        return SOCKET.exists() and subprocess.run(words, capture_output=True, check=False).returncode == 0

    return Part("containerd", argv, ready, 30, "the log says what this kernel lacks", {"PATH": path})


def containerd_config(layout: Layout) -> str:
    """Return containerd's configuration.

    Network namespaces stay below its own state folder and shim sockets in our folder: `down` finds all of them.
    Without `restrict_oom_score_adj` runc fails where a machine keeps CAP_SYS_RESOURCE from root.
    """
    runtime = "plugins.'io.containerd.cri.v1.runtime'"
    options = f"{runtime}.containerd.runtimes.runc.options"
    return f"""\
version = 3
root = "{layout.state / "containerd"}"
state = "{RUN / "containerd"}"

[grpc]
  address = "{SOCKET}"

[plugins.'io.containerd.internal.v1.opt']
  path = "{layout.state / "containerd-opt"}"

[plugins.'io.containerd.nri.v1.nri']
  disable = true

[plugins.'io.containerd.shim.v1.manager']
  socket_dir = "{RUN / "s"}"

[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "{pause_image(layout)}"

[{runtime}]
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [{runtime}.cni]
    use_internal_loopback = true
    bin_dirs = ["/usr/lib/cni", "/opt/cni/bin"]
    conf_dir = "{layout.state / "cni"}"
  [{runtime}.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [{options}]
      Root = "{RUN / "runc"}"
      SystemdCgroup = false
"""


def pause_image(layout: Layout) -> str:
    """Return the name of the image that holds a pod's namespaces, tagged by what it is made from."""
    return "localhost/presage-pause:" + layout.binaries["pause"].parent.name.rsplit("-", 1)[1]


def cni_config(layout: Layout) -> dict[str, Any]:
    """Return the pod network: each pod on a link of its own, routed by this machine.

    Unlike on a shared bridge, every packet between pods passes the machine's IP layer, so that Services work
    between pods without the kernel's bridge netfilter.
    """
    ipam = {
        "type": "host-local",
        "dataDir": str(layout.state / "cni-addresses"),
        "ranges": [[{"subnet": network.POD_SUBNET, "gateway": network.POD_GATEWAY}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    plugin = {"type": "ptp", "ipMasq": False, "ipam": ipam}
    return {"cniVersion": "1.0.0", "name": network.CNI_NAME, "plugins": [plugin]}


def kubelet(layout: Layout) -> Part:
    """Return the kubelet; the cluster's node is ready when it is."""
    _write(layout.state / "cni" / "10-pods.conflist", json.dumps(cni_config(layout), indent=1))
    _write(layout.state / "kubelet.json", json.dumps(kubelet_config(layout), indent=1))
    argv = (
        str(layout.binaries["kubelet"]),
        f"--config={layout.state / 'kubelet.json'}",
        f"--kubeconfig={layout.config('kubelet')}",
        f"--hostname-override={NAME}",
        f"--node-ip={layout.host_ip}",
        f"--root-dir={layout.state / 'kubelet'}",
        f"--cert-dir={layout.state / 'kubelet' / 'pki'}",
    )
    api = layout.api
    health = layout.local("kubelet-health", "/healthz")

    def ready() -> bool:
        return http_status(health) == 200 and api.node_ready(NAME)

    return Part("kubelet", argv, ready, 60, "the log says what the kubelet misses; containerd's log may tell more")


def kubelet_config(layout: Layout) -> dict[str, Any]:
    """Return the kubelet's configuration, with short periods so that pods start and show fast."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": layout.host_ip,
        "port": layout.ports["kubelet"],
        "healthzPort": layout.ports["kubelet-health"],
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": layout.certificate("ca")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": layout.certificate("kubelet"),
        "tlsPrivateKeyFile": layout.key("kubelet"),
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "clusterDNS": [layout.host_ip],
        "clusterDomain": DOMAIN,
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "makeIPTablesUtilChains": False,
        "maxPods": MAX_PODS,
        "podLogsDir": str(layout.state / "pod-logs"),
        "volumePluginDir": str(layout.state / "kubelet" / "plugins-flex"),
        "serializeImagePulls": False,
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
        "kubeAPIQPS": 200,
        "kubeAPIBurst": 400,
        "syncFrequency": "10s",
        "nodeStatusUpdateFrequency": "5s",
        "evictionHard": {"memory.available": "200Mi", "nodefs.available": "2%", "imagefs.available": "2%"},
        "imageGCHighThresholdPercent": 99,
        "imageGCLowThresholdPercent": 98,
    }


def proxy(layout: Layout) -> Part:
    """Return kube-proxy, which follows Services at once and leaves the machine's own settings as they are."""
    _write(layout.state / "proxy.json", json.dumps(proxy_config(layout), indent=1))
    argv = (str(layout.binaries["kube-proxy"]), f"--config={layout.state / 'proxy.json'}")
    health = layout.local("proxy-health", "/healthz")
    return Part("kube-proxy", argv, lambda: http_status(health) == 200, 60, "the kernel may lack an iptables match")


def proxy_config(layout: Layout) -> dict[str, Any]:
    """Return kube-proxy's configuration."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": layout.config("proxy"), "qps": 100, "burst": 200},
        "hostnameOverride": NAME,
        "clusterCIDR": control_plane.POD_NETS[layout.shape],
        "mode": "iptables",
        "iptables": {"minSyncPeriod": "100ms", "syncPeriod": "30s", "localhostNodePorts": False},
        "conntrack": {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "healthzBindAddress": f"127.0.0.1:{layout.ports['proxy-health']}",
        "metricsBindAddress": f"127.0.0.1:{layout.ports['proxy-metrics']}",
    }


def dns(layout: Layout) -> Part:
    """Return the name server, on the host address; other names than the cluster's go to this machine's server."""
    _write(layout.state / "Corefile", corefile(layout, Path("/etc/resolv.conf").exists()))
    argv = (str(layout.binaries["coredns"]), "-conf", str(layout.state / "Corefile"))
    remedy = f"if port 53 is taken, a name server of this machine listens on every address, {layout.host_ip} too"
    health = layout.local("dns-ready", "/ready")
    return Part("coredns", argv, lambda: http_status(health) == 200, 30, remedy)


def corefile(layout: Layout, forwards: bool) -> str:
    """Return the name server's configuration; `forwards` says whether this machine has a resolv.conf."""
    forward = "    forward . /etc/resolv.conf\n" if forwards else ""
    return f"""\
.:53 {{
    bind {layout.host_ip}
    errors
    health 127.0.0.1:{layout.ports["dns-health"]}
    ready 127.0.0.1:{layout.ports["dns-ready"]}
    kubernetes {DOMAIN} in-addr.arpa ip6.arpa {{
        kubeconfig {layout.config("dns")} presage-{layout.shape}
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 1
    }}
{forward}    cache 1
}}
"""


def name_server_role() -> list[tuple[str, dict[str, Any]]]:
    """Return what lets the name server read: (path, object) of a cluster role and its binding."""
    group = "rbac.authorization.k8s.io"
    role = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "presage-dns"},
        "rules": [
            {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": ["list", "watch"]},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
        ],
    }
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "presage-dns"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "presage-dns"},
        "subjects": [{"kind": "User", "apiGroup": group, "name": "presage-dns"}],
    }
    root = f"/apis/{group}/v1"
    return [(f"{root}/clusterroles", role), (f"{root}/clusterrolebindings", binding)]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
