"""What a cluster is made of: plain descriptions that the control plane and the node give and `cluster` starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from e2e.cluster.api import Api


@dataclass(frozen=True)
class Part:
    """One background process of a cluster.

    Attributes:
        name: Name in status, record and log.
        argv: Program and arguments.
        ready: Tells whether it works; called every 50 ms at most.
        timeout: Seconds until it must be ready.
        remedy: What a person should look at when it is not.
        env: Variables added to the caller's environment.
    """

    name: str
    argv: tuple[str, ...]
    ready: Callable[[], bool]
    timeout: float = 60.0
    remedy: str = ""
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """Where one cluster has its things.

    Attributes:
        shape: `full` or `control`.
        state: Folder of all its files.
        host_ip: Address of this machine that its API server and name server listen on.
        ports: TCP port by purpose.
        binaries: Path of each program by name.
        server_options: More options of the API server.
    """

    shape: str
    state: Path
    host_ip: str
    ports: Mapping[str, int]
    binaries: Mapping[str, Path]
    server_options: tuple[str, ...] = ()

    @property
    def pki(self) -> Path:
        """Folder of keys and certificates."""
        return self.state / "pki"

    @property
    def server(self) -> str:
        """URL of the API server."""
        return f"https://{self.host_ip}:{self.ports['apiserver']}"

    @property
    def api(self) -> Api:
        """The API server as its administrator."""
        return Api(self.server, self.pki)

    def config(self, user: str) -> str:
        """Path of the kubeconfig of one part."""
        return str(self.state / "kubeconfigs" / user)

    def certificate(self, name: str) -> str:
        """Path of a certificate."""
        return str(self.pki / f"{name}.crt")

    def key(self, name: str) -> str:
        """Path of a private key."""
        return str(self.pki / f"{name}.key")

    def local(self, port: str, path: str, scheme: str = "http") -> str:
        """URL of a health page on loopback."""
        return f"{scheme}://127.0.0.1:{self.ports[port]}{path}"
