"""A cluster by its name: start, stop, look, and run more processes beside it.

All that a running cluster is stands in its state folder, so any later command, also after a crash or a reboot,
finds what to end. What goes into the machine outside that folder is noted there before it is done.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from e2e.cluster import leftovers, network, node, pki, ports, progress
from e2e.cluster.api import Api, kubeconfig
from e2e.cluster.builds import ensure_binaries, ensure_binary
from e2e.cluster.containers import run_ctr
from e2e.cluster.debian import ensure_debian
from e2e.cluster.errors import ClusterError
from e2e.cluster.images import Images
from e2e.cluster.parts import Layout, Part
from e2e.cluster.processes import Processes, Record, boot_id
from e2e.cluster.shapes import SHAPES, after_wave, check_machine, usable

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,18}[a-z0-9])?")
_LONGEST_STATE_PATH = 70  # the kubelet puts unix sockets below it, whose paths end at 107 characters
_FACTS = "cluster.json"
_PART_GRACE_SECONDS = 1.0  # all a cluster holds goes with it: its parts need no time to save anything
_OTHER_GRACE_SECONDS = 5.0
_CLEAN_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class Facts:
    """What is noted of a cluster before it touches the machine.

    Attributes:
        boot: Id of the boot it was started in.
        ports: TCP port by purpose.
        settings: Kernel settings as they were before.
        parts: Names of its own parts, in the order of their start.
    """

    boot: str
    ports: dict[str, int]
    settings: dict[str, str]
    parts: list[str]


class Cluster:
    """One cluster on this machine; making the object changes nothing.

    Args:
        shape: `full` or `control`.
        name: As given, else the shape. Clusters of different names do not touch each other.
        server_options: More options of the API server, such as `--disable-admission-plugins=…`.

    Attributes:
        shape: `full` or `control`.
        name: As given, else the shape. Clusters of different names do not touch each other.
        state: Folder of all its files; gone when it is down.
        logs: Folder of its logs.
        kubeconfig: The administrator's kubeconfig.
        context: Its only context, `presage-<name>`.
        host_ip: Address of this machine that pods reach.

    Raises:
        ClusterError: There is no such shape, or the name will not do.
    """

    def __init__(self, shape: str = "full", name: str = "", server_options: Sequence[str] = ()) -> None:
        if shape not in SHAPES:
            raise ClusterError(shape, "no such shape", remedy="one of: " + ", ".join(SHAPES))
        self._shape = SHAPES[shape]
        self.shape = shape
        self.name = name or shape
        self._server_options = tuple(server_options)
        self._check_name()
        self.context = f"presage-{self.name}"
        self.state = state_root() / self.name
        self.logs = self.state / "logs"
        self.kubeconfig = self.state / "kubeconfig"
        self.host_ip = self._shape.host_ip
        self._processes = Processes(self.state / "run", self.logs, self.state)

    @property
    def server(self) -> str:
        """URL of the API server.

        Raises:
            ClusterError: The cluster is down.
        """
        facts = self._facts()
        if facts is None:
            raise ClusterError("cluster", "it is down", remedy=f"python3 -m e2e.cluster up --name {self.name}")
        return f"https://{self.host_ip}:{facts.ports['apiserver']}"

    def _check_name(self) -> None:
        if not _NAME.fullmatch(self.name):
            remedy = "1 to 20 lower-case letters, digits and dashes, dashes not at the ends"
            raise ClusterError("cluster", f"{self.name!r} is no name for a cluster", remedy=remedy)
        if shape_of(self.name) != self.shape:
            remedy = "only one full cluster fits on a machine, and it is called full; control clusters take other names"
            raise ClusterError("cluster", f"a {self.shape} cluster cannot be called {self.name}", remedy=remedy)

    def is_up(self) -> bool:
        """Tell whether all parts run and the API server is well."""
        facts = self._facts()
        if facts is None or not all(self._processes.running(name) for name in facts.parts):
            return False
        return Api(self.server, self.state / "pki").healthy()

    def up(self) -> None:
        """Start what does not run yet, and wait until a pod made now would run.

        Raises:
            ClusterError: Names the part that failed, with its log and a remedy.
        """
        began = time.monotonic()
        self._require_root()
        ensure_debian(self._shape.packages)
        binaries = ensure_binaries(self._shape.binaries)
        with self._locked():
            facts = self._facts()
            if facts and not self._has_life(facts):
                with progress.part("remains of an old one", "removing", "removed"):
                    self._remove(facts)
                facts = None
            layout = Layout(self.shape, self.state, self.host_ip, {}, binaries, self._server_options)
            self._start(facts, layout)
        progress.say(f"cluster {self.name} is up after {time.monotonic() - began:.1f} s: {self.kubeconfig}")

    def down(self) -> None:
        """End all processes of the cluster and remove all it left; a cluster that is down stays so.

        Raises:
            ClusterError: Something of ours would not go.
        """
        began = time.monotonic()
        if not self.state.exists():
            progress.say(f"cluster {self.name} is down")
            return
        self._require_root()
        with self._locked():
            self._remove(self._facts())
        progress.say(f"cluster {self.name} is down after {time.monotonic() - began:.1f} s")

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        ready: Callable[[], bool] | None = None,
        timeout: float = 30,
    ) -> int:
        """Start one more process that ends with the cluster, and wait until it is ready.

        The same call again returns the running process; other arguments end it and start it anew.

        Args:
            name: Name in `status`; its log is `<name>.log` in `logs`.
            argv: Program and arguments.
            env: Whole environment; the caller's own when None.
            ready: Tells whether it works.
            timeout: Seconds until it must be ready.

        Returns:
            Process id.

        Raises:
            ClusterError: The cluster is down, the name is a part's, or the process is not ready in time.
        """
        facts = self._facts()
        if facts is None:
            raise ClusterError(name, "the cluster is down", remedy="up first")
        if name in facts.parts:
            raise ClusterError(name, "is a part of the cluster itself", remedy="take another name")
        record = self._processes.start(name, argv, env)
        if ready:
            self._processes.wait(record, ready, timeout)
        return record.pid

    def stop(self, name: str) -> None:
        """End a process started by `start`; one that does not run is passed over."""
        self._processes.stop(name, _OTHER_GRACE_SECONDS)

    def load_image(self, archive: Path, name: str) -> None:
        """Give the node an image, unless it has this very archive already.

        Raises:
            ClusterError: The shape has no node that runs containers, or the archive is not such an image.
        """
        if not self._shape.node:
            raise ClusterError("images", f"shape {self.shape} runs no containers", remedy="use shape full")
        with progress.part(f"image {name.rsplit('/', 1)[-1]}", "loading", "loaded"):
            Images(ensure_binary("ctr"), self.state / "images.json").load(archive, name)

    def signal_container(self, identity: str, number: signal.Signals) -> None:
        """Send a signal to the first process of a container of the node, as a crash or the kernel would.

        Args:
            identity: Container id, as a pod's status gives it behind `containerd://`.
            number: The signal.

        Raises:
            ClusterError: There is no such container that runs.
        """
        run_ctr(ensure_binary("ctr"), "tasks", "kill", "--signal", number.name, identity)

    def table(self) -> list[tuple[str, ...]]:
        """Return a row (part, process id, state, running since, log) for every part and process."""
        facts = self._facts()
        records = self._processes.all()
        started = {record.name for record in records}
        rows = [self._row(record) for record in records]
        rows += [(name, "-", "absent", "-", "-") for name in (facts.parts if facts else []) if name not in started]
        return rows

    def _row(self, record: Record) -> tuple[str, ...]:
        state = "running" if self._processes.alive(record) else "ended"
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.since))
        return record.name, str(record.pid), state, since, str(self._processes.log(record.name))

    def _start(self, facts: Facts | None, blank: Layout) -> None:
        if facts is not None:
            self._start_parts(facts, blank, fresh=False)
            return
        check_machine(self._shape)
        settings = network.read_settings() if self._shape.needs_root else {}
        with ports.held(self._shape.ports, ports.FIRST[self.shape], self._ports_of_others()) as chosen:
            facts = Facts(boot_id(), chosen, settings, [])
            self._note(facts)
            self._start_parts(facts, blank, fresh=True)

    def _ports_of_others(self) -> set[int]:
        others = (read_facts(state_root() / name) for name in names() if name != self.name)
        return {port for facts in others if facts for port in facts.ports.values()}

    def _start_parts(self, facts: Facts, blank: Layout, *, fresh: bool) -> None:
        layout = replace(blank, ports=facts.ports)
        self._prepare(layout, fresh)
        waves = [[make(layout) for make in makers] for makers in self._shape.waves]
        self._note(replace(facts, parts=[part.name for wave in waves for part in wave]))
        for wave in waves:
            self._start_wave(wave)
            after_wave(self._shape, layout, wave)
        self._wait_usable(layout)

    def _prepare(self, layout: Layout, fresh: bool) -> None:
        if fresh:
            with progress.part("certificates", "making", "made"):
                pki.make(layout.pki, pki.leaves(self._shape.addresses, self._shape.node))
            folder = self.state / "kubeconfigs"
            folder.mkdir(exist_ok=True)
            for user in self._shape.users:
                Path(layout.config(user)).write_text(kubeconfig(layout.server, layout.pki, user, self.context))
            self.kubeconfig.write_text(kubeconfig(layout.server, layout.pki, "admin", self.context))
        if self._shape.needs_root:
            node.RUN.mkdir(parents=True, exist_ok=True, mode=0o700)
            with progress.part("network", "making", "made"):
                network.set_up()

    def _start_wave(self, wave: Sequence[Part]) -> None:
        for part in wave:
            self._processes.start(part.name, part.argv, {**_CLEAN_ENVIRONMENT, "HOME": str(self.state), **part.env})
        for part in wave:
            with progress.part(part.name):
                record = self._processes.find(part.name)
                if record is None:
                    raise ClusterError(part.name, "its record is gone", remedy="do not run `down` during `up`")
                self._processes.wait(record, part.ready, part.timeout, part.remedy)

    def _wait_usable(self, layout: Layout) -> None:
        deadline = time.monotonic() + 60
        with progress.part("nodes and service accounts", "waiting"):
            while not usable(self._shape, layout):
                if time.monotonic() > deadline:
                    log = self._processes.log("kube-controller-manager")
                    raise ClusterError("cluster", "no node is ready for pods after 60 s", log=log)
                time.sleep(0.1)

    def _has_life(self, facts: Facts) -> bool:
        """Tell whether there is anything to go on with: a cluster of this boot with a part that runs."""
        return facts.boot == boot_id() and any(self._processes.running(name) for name in facts.parts)

    def _remove(self, facts: Facts | None) -> None:
        parts = set(facts.parts) if facts else set()
        for record in reversed(self._processes.all()):
            own = record.name in parts
            self._processes.stop(record.name, _PART_GRACE_SECONDS if own else _OTHER_GRACE_SECONDS)
        if self._shape.needs_root and facts:
            self._restore_machine(facts)
        leftovers.remove_tree(self.state)

    def _restore_machine(self, facts: Facts) -> None:
        """Take back what is outside the state folder; a reboot has already done most of it."""
        if facts.boot == boot_id():
            leftovers.end_containers(node.SOCKET)
            leftovers.unmount((self.state, node.RUN))
            network.tear_down()
            network.restore_settings(facts.settings)
            leftovers.remove_control_groups()
            leftovers.remove_tree(node.RUN)
        leftovers.remove_links(node.CONTAINER_LOG_LINKS, self.state)
        leftovers.remove_network_results(node.RUN)

    def _facts(self) -> Facts | None:
        return read_facts(self.state)

    def _note(self, facts: Facts) -> None:
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = self.state / f"{_FACTS}.new"
        new.write_text(json.dumps(asdict(facts)))
        new.rename(self.state / _FACTS)

    def _require_root(self) -> None:
        if len(str(self.state)) > _LONGEST_STATE_PATH:
            raise ClusterError("cluster", f"the path {self.state} is too long for sockets", remedy="set XDG_STATE_HOME")
        if self._shape.needs_root and os.geteuid() != 0:
            remedy = 'sudo -H env PATH="$PATH" make …, or the shape `control`, which runs as any user'
            raise ClusterError("cluster", f"shape {self.shape} needs root", remedy=remedy)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        state_root().mkdir(parents=True, exist_ok=True)
        with (state_root() / f".{self.name}.lock").open("w") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with progress.part(f"cluster {self.name}", "waiting for another up or down", "free"):
                    fcntl.flock(stream, fcntl.LOCK_EX)
            yield


def state_root() -> Path:
    """Return the folder of all clusters' states, which may not exist yet."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "presage"


def names() -> list[str]:
    """Return the names of all clusters that are up, or left something behind."""
    return sorted(path.parent.name for path in state_root().glob(f"*/{_FACTS}"))


def shape_of(name: str) -> str:
    """Return the shape that a cluster of this name has: there is one full cluster, called `full`."""
    return "full" if name == "full" else "control"


def read_facts(state: Path) -> Facts | None:
    """Return what is noted in a cluster's folder, or None when there is nothing whole."""
    try:
        return Facts(**json.loads((state / _FACTS).read_text()))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None
