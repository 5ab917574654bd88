"""The two shapes of cluster: what each needs, and in which order its parts start.

Parts of one wave start together and are then waited for one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from e2e.cluster import control_plane, leftovers, network, node, pretended
from e2e.cluster.errors import ClusterError
from e2e.cluster.images import Images, write_single_program
from e2e.cluster.parts import Layout, Part

LOOPBACK = "127.0.0.1"
Maker = Callable[[Layout], Part]


@dataclass(frozen=True)
class Shape:
    """One shape of cluster.

    Attributes:
        name: `full` or `control`.
        host_ip: Address that the API server listens on.
        node: Name of the real node; empty when there is none.
        ports: Purposes that need a TCP port.
        users: Certificates that need a kubeconfig.
        binaries: Programs it runs.
        packages: Debian packages it runs.
        waves: Parts in the order of their start.
    """

    name: str
    host_ip: str
    node: str
    ports: tuple[str, ...]
    users: tuple[str, ...]
    binaries: tuple[str, ...]
    packages: tuple[str, ...]
    waves: tuple[tuple[Maker, ...], ...]

    @property
    def needs_root(self) -> bool:
        """Whether it changes this machine's network and runs containers."""
        return bool(self.node)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses under which its servers are called."""
        return tuple(dict.fromkeys((LOOPBACK, self.host_ip, control_plane.SERVICE_FIRST)))


CONTROL = Shape(
    name="control",
    host_ip=LOOPBACK,
    node="",
    ports=control_plane.PORTS + pretended.PORTS,
    users=control_plane.USERS,
    binaries=control_plane.BINARIES + pretended.BINARIES,
    packages=("openssl",),
    waves=(
        (control_plane.etcd,),
        (control_plane.apiserver,),
        (control_plane.controller_manager, control_plane.scheduler, pretended.kwok),
    ),
)
FULL = Shape(
    name="full",
    host_ip=network.HOST_IP,
    node=node.NAME,
    ports=control_plane.PORTS + node.PORTS,
    users=control_plane.USERS + node.USERS,
    binaries=control_plane.BINARIES + node.BINARIES,
    packages=("openssl", *node.PACKAGES),
    waves=(
        (control_plane.etcd, node.containerd),
        (control_plane.apiserver,),
        (control_plane.controller_manager, control_plane.scheduler, node.kubelet, node.proxy, node.dns),
    ),
)
SHAPES: Mapping[str, Shape] = {shape.name: shape for shape in (FULL, CONTROL)}


def check_machine(shape: Shape) -> None:
    """Refuse a machine on which another Kubernetes runs; asked only before anything of ours is there.

    Raises:
        ClusterError: With what was found.
    """
    if not shape.needs_root:
        return
    network.check((network.POD_SUBNET, f"{network.HOST_IP}/32", control_plane.SERVICE_NET))
    busy = leftovers.busy_control_groups()
    if busy:
        raise ClusterError("node", f"another kubelet runs pods here: {busy[0]}", remedy="stop that one first")


def after_wave(shape: Shape, layout: Layout, wave: Sequence[Part]) -> None:
    """Do what must follow the start of some parts before the next ones can work."""
    names = {part.name for part in wave}
    if "containerd" in names:
        archive = layout.state / "pause.tar"
        image = node.pause_image(layout)
        write_single_program(archive, image, layout.binaries["pause"])
        Images(layout.binaries["ctr"], layout.state / "images.json").load(archive, image)
    if "kube-apiserver" in names and shape.node:
        for path, body in node.name_server_role():
            status, answer = layout.api.call("POST", path, body)
            if status not in (201, 409):
                raise ClusterError("coredns", f"cannot give it the right to read: {answer.get('message', status)}")


def usable(shape: Shape, layout: Layout) -> bool:
    """Tell whether a pod made now would run."""
    nodes = layout.api.node_ready(shape.node) if shape.node else pretended.nodes_ready(layout.api)
    return nodes and layout.api.pods_can_be_made()
