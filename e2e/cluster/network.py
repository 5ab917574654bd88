"""What the full shape changes in this machine's network, and how all of it is taken back.

Ours are: one bridge that carries the host address, links of pods, iptables chains named PRESAGE-*, and the KUBE-*
chains of our own kube-proxy. Since chains carry no owner, a machine that has KUBE-* or CNI-* chains before we start
is refused: another Kubernetes or container runtime lives there, and taking ours back could take theirs.
Kernel settings that our parts change are noted before and put back after.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from e2e.cluster.errors import ClusterError

HOST_IP = "10.99.0.1"
BRIDGE = "presage0"
POD_SUBNET = "10.244.0.0/24"
POD_GATEWAY = "10.244.0.1"
CNI_NAME = "presage-pods"
SETTINGS = (
    "kernel.keys.root_maxbytes",
    "kernel.keys.root_maxkeys",
    "kernel.panic",
    "kernel.panic_on_oops",
    "net.bridge.bridge-nf-call-iptables",
    "net.ipv4.conf.all.forwarding",
    "net.ipv4.conf.all.route_localnet",
    "net.ipv4.ip_forward",
    "net.ipv6.conf.all.forwarding",
    "net.netfilter.nf_conntrack_max",
    "net.netfilter.nf_conntrack_tcp_be_liberal",
    "net.netfilter.nf_conntrack_tcp_timeout_close_wait",
    "net.netfilter.nf_conntrack_tcp_timeout_established",
    "vm.overcommit_memory",
    "vm.panic_on_oom",
)
"""Kernel settings that a kubelet, a kube-proxy, a CNI plugin or this module may change."""
_THEIRS = re.compile(r"KUBE-|CNI-|cali-|CILIUM_|FLANNEL-")
_OURS = re.compile(r"KUBE-|PRESAGE-")
_PART = "network"
_SAVERS = ("iptables-save", "ip6tables-save")


def read_settings(names: Iterable[str] = SETTINGS) -> dict[str, str]:
    """Return the kernel settings that this machine has."""
    found = {}
    for name in names:
        path = _setting(name)
        if path.exists():
            found[name] = path.read_text().strip()
    return found


def restore_settings(before: Mapping[str, str]) -> None:
    """Put back every kernel setting that differs."""
    for name, value in before.items():
        path = _setting(name)
        if path.exists() and path.read_text().strip() != value:
            path.write_text(value)


def _setting(name: str) -> Path:
    return Path("/proc/sys") / name.replace(".", "/")


def foreign_chains(saved: str) -> list[str]:
    """Return chains in an iptables-save listing that another cluster or runtime made."""
    names = re.findall(r"^:(\S+) ", saved, flags=re.MULTILINE)
    return [name for name in names if _THEIRS.match(name)]


def overlaps(routes: Iterable[Mapping[str, Any]], ours: Iterable[str]) -> list[str]:
    """Return the routes that lie within, or equal, one of our subnets.

    Args:
        routes: As `ip -j route` prints them.
        ours: Our subnets.
    """
    nets = [ipaddress.ip_network(net) for net in ours]
    found = []
    for route in routes:
        target = str(route.get("dst", "default"))
        if target == "default":
            continue
        net = ipaddress.ip_network(target, strict=False)
        if any(isinstance(net, ipaddress.IPv4Network) and net.subnet_of(own) for own in nets
               if isinstance(own, ipaddress.IPv4Network)):  # fmt: skip
            found.append(f"{target} dev {route.get('dev', '?')}")
    return found


def check(subnets: Iterable[str]) -> None:
    """Refuse a machine whose network is used by another cluster.

    Raises:
        ClusterError: With what was found.
    """
    chains = [name for saver in _SAVERS for name in foreign_chains(_run([saver]))]
    if chains:
        problem = f"iptables has chains of another cluster or runtime: {', '.join(chains[:4])}"
        remedy = "stop that one and remove its chains (a reboot does), or use a machine without one"
        raise ClusterError(_PART, problem, remedy=remedy)
    taken = overlaps(json.loads(_run(["ip", "-j", "-4", "route"])), subnets)
    if taken:
        raise ClusterError(_PART, f"our addresses are in use here: {taken[0]}", remedy="remove that route first")
    if _link_exists(BRIDGE):
        problem = f"the device {BRIDGE} exists, but no cluster is recorded"
        raise ClusterError(_PART, problem, remedy=f"if nobody needs it: ip link del {BRIDGE}")


def set_up() -> None:
    """Make the bridge with the host address and let packets of pods through; may be repeated."""
    if not _link_exists(BRIDGE):
        _run(["ip", "link", "add", BRIDGE, "type", "bridge"])
    _run(["ip", "addr", "replace", f"{HOST_IP}/32", "dev", BRIDGE])
    _run(["ip", "link", "set", BRIDGE, "up"])
    _setting("net.ipv4.ip_forward").write_text("1")
    for table, text in own_rules().items():
        if "PRESAGE-" not in _run(["iptables-save", "-t", table]):
            _restore("iptables-restore", text)


def own_rules() -> dict[str, str]:
    """Return our rules by table, as input of iptables-restore.

    Pods may reach each other, the host address and the outside, also where the machine's policy is to drop.
    """
    pods = f"-s {POD_SUBNET}"
    nat = [
        ":PRESAGE-OUT - [0:0]",
        "-A POSTROUTING -j PRESAGE-OUT",
        f"-A PRESAGE-OUT {pods} ! -d {POD_SUBNET} -j MASQUERADE",
    ]
    filters = [
        ":PRESAGE-PODS - [0:0]",
        "-I FORWARD 1 -j PRESAGE-PODS",
        f"-A PRESAGE-PODS {pods} -j ACCEPT",
        f"-A PRESAGE-PODS -d {POD_SUBNET} -j ACCEPT",
        ":PRESAGE-HOST - [0:0]",
        "-I INPUT 1 -j PRESAGE-HOST",
        f"-A PRESAGE-HOST {pods} -d {HOST_IP} -j ACCEPT",
    ]
    return {table: "\n".join([f"*{table}", *lines, "COMMIT", ""]) for table, lines in
            (("nat", nat), ("filter", filters))}  # fmt: skip


def removal(saved: str) -> str:
    """Return the input of iptables-restore that removes our chains and every rule leading into them.

    Args:
        saved: What iptables-save printed; anything else in it is left alone.
    """
    output: list[str] = []
    for block in re.findall(r"^\*.*?^COMMIT$", saved, flags=re.MULTILINE | re.DOTALL):
        table, *lines = block.splitlines()
        chains = [name for name in re.findall(r"^:(\S+) ", block, flags=re.MULTILINE) if _OURS.match(name)]
        if not chains:
            continue
        rules = [line for line in lines if line.startswith("-A ")]
        leading = [line for line in rules if not _OURS.match(line.split()[1]) and _target(line) in chains]
        output.append(table)
        output += [f":{name} - [0:0]" for name in chains]  # empties them
        output += ["-D " + line.removeprefix("-A ") for line in leading]
        output += [f"-X {name}" for name in chains]
        output += ["COMMIT", ""]
    return "\n".join(output)


def _target(rule: str) -> str:
    found = re.search(r" -[jg] (\S+)", rule)
    return found[1] if found else ""


def tear_down() -> None:
    """Remove links of pods, the bridge and our chains; what is not there is passed over."""
    for name in pod_links(json.loads(_run(["ip", "-j", "-4", "addr"]))):
        _run(["ip", "link", "del", name], must=False)
    if _link_exists(BRIDGE):
        _run(["ip", "link", "del", BRIDGE])
    for saver in _SAVERS:
        text = removal(_run([saver], must=False))
        if text:
            _restore(saver.replace("-save", "-restore"), text)


def pod_links(addresses: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the devices that lead to our pods: those that carry the pods' gateway address.

    Args:
        addresses: As `ip -j addr` prints them.
    """
    return [
        str(device["ifname"])
        for device in addresses
        if any(item.get("local") == POD_GATEWAY for item in device.get("addr_info", ()))
    ]


def _link_exists(name: str) -> bool:
    return Path("/sys/class/net", name).exists()


def _restore(program: str, text: str) -> None:
    _run([program, "--noflush"], text)


def _run(argv: list[str], text: str = "", *, must: bool = True) -> str:
    try:
        done = subprocess.run(argv, input=text, capture_output=True, text=True, env=_environment(), check=False)
    except FileNotFoundError as error:
        if must:
            raise ClusterError(_PART, f"{argv[0]} is not here", remedy="install iptables and iproute2") from error
        return ""
    if must and done.returncode != 0:
        raise ClusterError(_PART, f"{' '.join(argv)} failed: {done.stderr.strip()[:400]}")
    return done.stdout


def _environment() -> dict[str, str]:
    """Return the caller's environment with the folders that only root has on PATH by custom."""
    return {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
