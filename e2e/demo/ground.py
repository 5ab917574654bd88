"""What the stage needs of a cluster, and the three kinds of cluster that give it.

`own` is the full cluster of the cluster tool. `existing` is a cluster that the user has, `kind` one made by kind: there
nothing runs beside the cluster, no node is touched, and what somebody else installed is never removed.

Invariant: a cluster of the user's is only ever reached by a context whose exact name the user has listed; the current
context of a kubeconfig plays no part.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from e2e.cluster import Cluster, ensure_binary
from e2e.cluster.cluster import state_root
from e2e.cluster.images import write_single_program
from e2e.cluster.progress import part
from e2e.demo.errors import BAD_INPUT, UNREACHABLE, DemoError
from e2e.demo.kube import Kubectl
from e2e.demo.prometheus import Prometheus, PrometheusServer
from e2e.demo.prometheus_pod import TOOL_ROLE, PrometheusPod
from e2e.images import ensure_image

KINDS = ("own", "existing", "kind")
ALLOWED, CONTEXT, PREFIX, LOADER = (
    "PRESAGE_ALLOWED_CONTEXTS",
    "PRESAGE_CONTEXT",
    "PRESAGE_IMAGE_PREFIX",
    "PRESAGE_LOAD_IMAGE",
)
KIND_NAME = "PRESAGE_KIND_CLUSTER"
SERVER_ROLE = "prometheus"
_PROGRAMS = {SERVER_ROLE: "prometheus", TOOL_ROLE: "promtool"}


class Ground(Protocol):
    """A cluster to play on.

    Attributes:
        name: How it is called in messages.
        kubectl: Aimed at its one context.
        prometheus: The server that will scrape it.
        folder: Folder of this machine for what a run keeps beside the cluster, such as its lock.
        logs: Folder of the cluster's own logs; None where they cannot be had.
        shared: Others may have put things into it: what is not marked as the demo's is not removed.
    """

    @property
    def name(self) -> str: ...
    @property
    def kubectl(self) -> Kubectl: ...
    @property
    def prometheus(self) -> PrometheusServer: ...
    @property
    def folder(self) -> Path: ...
    @property
    def logs(self) -> Path | None: ...
    @property
    def shared(self) -> bool: ...

    def is_up(self) -> bool:
        """Tell whether its API server is well."""

    def ensure_up(self) -> None:
        """See that it is up.

        Raises:
            DemoError: It is not, and is not ours to start.
        """

    def provide_image(self, role: str) -> str:
        """See that nodes can run the image of a role; return its name with tag.

        Raises:
            DemoError: It cannot be given to them.
        """


class OwnCluster:
    """The full cluster of the cluster tool; started where it does not run."""

    shared = False

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.name = cluster.name
        self.folder = cluster.state
        self.prometheus: PrometheusServer = Prometheus(cluster)
        self._kubectl: Kubectl | None = None

    @property
    def kubectl(self) -> Kubectl:
        """Kubectl with the administrator's kubeconfig."""
        if self._kubectl is None:
            self._kubectl = Kubectl(ensure_binary("kubectl"), self.cluster.kubeconfig, self.cluster.context)
        return self._kubectl

    @property
    def logs(self) -> Path | None:
        """Folder of the parts' logs."""
        return self.cluster.logs

    def is_up(self) -> bool:
        """Tell whether all parts run and the API server is well."""
        return self.cluster.is_up()

    def ensure_up(self) -> None:
        """Start what does not run."""
        if not self.cluster.is_up():
            self.cluster.up()

    def provide_image(self, role: str) -> str:
        """Build the image and load it into the node."""
        image = ensure_image(role)
        self.cluster.load_image(image.path, image.name)
        return image.name


class ExistingCluster:
    """A cluster that the user has and names; images come from their registry or by a command of theirs.

    Args:
        context: Name in the user's kubeconfig, already checked against the list.
        prefix: Registry and path below which the user has pushed the images; empty = they are loaded.
        loader: Command that gives the nodes an image; archive and image name are appended.
    """

    shared = True
    logs = None

    def __init__(self, context: str, prefix: str, loader: Sequence[str]) -> None:
        self.name = context
        self.folder = state_root() / "existing" / "".join(c if c.isalnum() else "-" for c in context)
        self.kubectl = Kubectl(ensure_binary("kubectl"), None, context, allowed=frozenset({context}))
        self.prometheus: PrometheusServer = PrometheusPod(self.kubectl, self._prometheus_images)
        self._prefix = prefix.rstrip("/")
        self._loader = tuple(loader)

    def is_up(self) -> bool:
        """Tell whether the API server says that it is ready."""
        try:
            return self.kubectl.run("get", "--raw", "/readyz", timeout=20).strip() == "ok"
        except DemoError:
            return False

    def ensure_up(self) -> None:
        """See that it answers; it is not ours to start."""
        if not self.is_up():
            raise DemoError(
                f"the cluster of context {self.name} does not answer: is it up, and is the context in your kubeconfig?",
                UNREACHABLE,
            )

    def provide_image(self, role: str) -> str:
        """Return the name in the user's registry, or have the image loaded."""
        image = ensure_image(role)
        return self.give(image.path, image.name)

    def give(self, archive: Path, name: str) -> str:
        """Let the nodes have the image of an archive; return the name they know it by.

        Raises:
            DemoError: The user's command failed.
        """
        if self._prefix:
            return f"{self._prefix}/{name.rsplit('/', 1)[-1]}"
        with part(f"image {name.rsplit('/', 1)[-1]}", "loading", "loaded"):
            argv = self._load_command(archive, name)
            try:
                done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)
            except (OSError, subprocess.TimeoutExpired) as error:
                raise DemoError(f"{shlex.join(argv)}: {error}", BAD_INPUT) from error
        if done.returncode != 0:
            raise DemoError(f"{shlex.join(argv)}: {done.stderr.strip() or done.stdout.strip()}")
        return name

    def _load_command(self, archive: Path, name: str) -> list[str]:
        return [*self._loader, str(archive), name]

    def _prometheus_images(self) -> tuple[str, str]:
        """Return the images of Prometheus and of its tool, made of the programs that the own cluster runs."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        names = []
        for role, program in _PROGRAMS.items():
            binary = ensure_binary(program)
            archive = self.folder / f"{role}.tar"
            name = f"localhost/presage-demo-{role}:{binary.parent.name.rsplit('-', 1)[-1]}"
            write_single_program(archive, name, binary)
            names.append(self.give(archive, name))
        return names[0], names[1]


class KindCluster(ExistingCluster):
    """A cluster made by kind, which loads images itself."""

    def __init__(self, name: str) -> None:
        super().__init__(f"kind-{name}", "", ())
        self._kind = name

    def _load_command(self, archive: Path, name: str) -> list[str]:
        return ["kind", "load", "image-archive", f"--name={self._kind}", str(archive)]


def find_ground(kind: str, environment: Mapping[str, str] = os.environ) -> Ground:
    """Return the cluster to play on.

    Args:
        kind: `own`, `existing` or `kind`; empty = own.
        environment: Variables that say more of the user's cluster.

    Raises:
        DemoError: The kind is unknown, or the user's variables do not name one allowed context and its images.
    """
    if kind in ("", "own"):
        return OwnCluster(Cluster("full"))
    if kind == "kind":
        return KindCluster(environment.get(KIND_NAME, "kind"))
    if kind != "existing":
        raise DemoError(f"CLUSTER={kind}: there is no such kind of cluster, only {', '.join(KINDS)}", BAD_INPUT)
    prefix, loader = environment.get(PREFIX, ""), shlex.split(environment.get(LOADER, ""))
    if bool(prefix) == bool(loader):
        raise DemoError(
            f"CLUSTER=existing needs the images: either push those of `make images` and set {PREFIX} to their place, "
            f"or set {LOADER} to a command that loads an archive into the nodes (archive and name are appended)",
            BAD_INPUT,
        )
    return ExistingCluster(choose_context(environment), prefix, loader)


def choose_context(environment: Mapping[str, str]) -> str:
    """Return the one context that may be used.

    Raises:
        DemoError: None is listed, or several are and none of them is chosen, or another is chosen.
    """
    listed = [name.strip() for name in environment.get(ALLOWED, "").split(",") if name.strip()]
    if not listed:
        raise DemoError(
            f"CLUSTER=existing uses only contexts that you list: set {ALLOWED} to their exact names, such as "
            f'{ALLOWED}="test-1,test-2"; the current context of your kubeconfig is never taken',
            BAD_INPUT,
        )
    chosen = environment.get(CONTEXT, "") or (listed[0] if len(listed) == 1 else "")
    if not chosen:
        raise DemoError(f"{ALLOWED} lists {len(listed)} contexts: set {CONTEXT} to the one to use", BAD_INPUT)
    if chosen not in listed:
        raise DemoError(f"context {chosen!r} is not on your list {ALLOWED}: {', '.join(listed)}", BAD_INPUT)
    return chosen
