"""Ways to the real API server that fail as real ones do: no rights, no connection, a certificate without extensions."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from kubernetes import client

from e2e.cluster import Cluster
from tests.integration.tools import Link

RULES = Path(__file__).parents[3] / "charts/presage/files/clusterrole-rules.yaml"


def chart_rules(*without: str) -> list[dict[str, Any]]:
    """Return the ClusterRole's rules as the chart installs them, but for some resources."""
    rules: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())
    return [rule for rule in rules if not set(without) & set(rule["resources"])]


class Account:
    """A service account with the rights of the chart, as far as a test gives them.

    Args:
        api: The administrator's client.
        namespace: The operator's own namespace.
    """

    name = "presage"

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        self._rbac, self._core = client.RbacAuthorizationV1Api(api), client.CoreV1Api(api)
        self.namespace, self._role = namespace, f"{self.name}-{namespace}"
        self._core.create_namespaced_service_account(namespace, {"metadata": {"name": self.name}})
        subject = {"kind": "ServiceAccount", "name": self.name, "namespace": namespace}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": self._role}
        self._rbac.create_cluster_role({"metadata": {"name": self._role}, "rules": []})
        self._rbac.create_cluster_role_binding(
            {"metadata": {"name": self._role}, "roleRef": reference, "subjects": [subject]}
        )
        self._own = {"roleRef": {**reference, "kind": "Role", "name": self.name}, "subjects": [subject]}

    def allow(self, rules: list[dict[str, Any]]) -> None:
        """Have these rights in the cluster, and no others."""
        self._rbac.replace_cluster_role(self._role, {"metadata": {"name": self._role}, "rules": rules})

    def allow_lease(self) -> None:
        """Have the rights on the Lease."""
        rule = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create", "get", "update"]}
        self._rbac.create_namespaced_role(self.namespace, {"metadata": {"name": self.name}, "rules": [rule]})
        self._rbac.create_namespaced_role_binding(self.namespace, {"metadata": {"name": self.name}, **self._own})

    def write_kubeconfig(self, cluster: Cluster, place: Path, server: str, authority: Path | None = None) -> Path:
        """Write a kubeconfig with a token of this account; a kubeconfig that is there is replaced."""
        token = self._core.create_namespaced_service_account_token(self.name, self.namespace, {"spec": {}})
        found = yaml.safe_load(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]
        entry = {"server": server, "certificate-authority-data": found["certificate-authority-data"]}
        if authority is not None:
            entry = {"server": server, "certificate-authority": str(authority)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": entry}],
            "users": [{"name": "test", "user": {"token": token.status.token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        }
        fresh = place.with_suffix(".new")
        fresh.write_text(yaml.safe_dump(content))
        return fresh.rename(place)

    def delete(self) -> None:
        """Leave nothing in the cluster but what goes with the namespace."""
        self._rbac.delete_cluster_role_binding(self._role)
        self._rbac.delete_cluster_role(self._role)


class Door:
    """A Link to the API server that lives in a thread, for tests that are not asynchronous."""

    def __init__(self, server: str, near: ssl.SSLContext | None = None, far: ssl.SSLContext | None = None) -> None:
        place = urlsplit(server)
        assert place.hostname is not None
        assert place.port is not None
        self._link = Link(place.hostname, place.port, near=near, far=far)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._link.start(), self._loop).result(5)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._link.stop(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._link.port}"

    def close(self) -> None:
        """Cut all connections and let none in."""
        self._link.refusing = True
        self.cut()

    def open(self) -> None:
        self._link.refusing = False

    def cut(self) -> None:
        """Cut all connections there are."""
        self._loop.call_soon_threadsafe(self._link.drop)


_SOUND_AUTHORITY = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign", "subjectKeyIdentifier=hash")
_NO_KEY_USAGE = ("basicConstraints=critical,CA:TRUE", "subjectKeyIdentifier=hash")


def make_certificates(folder: Path, *, fault: str) -> tuple[Path, Path, Path]:
    """Make an authority and a leaf for 127.0.0.1 that kubectl accepts and strict Python does not.

    Args:
        folder: Where to.
        fault: `key usage` leaves it out of the authority, `authority key id` out of the leaf.

    Returns:
        Authority, leaf and the leaf's key.
    """
    authority, leaf, key = folder / "ca.crt", folder / "leaf.crt", folder / "leaf.key"
    extensions = _NO_KEY_USAGE if fault == "key usage" else _SOUND_AUTHORITY
    own = "[req]\ndistinguished_name=name\n[name]\n"  # the system's own settings would add extensions
    (folder / "openssl.cnf").write_text(own)
    fresh = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-config", folder / "openssl.cnf"]
    words = ["req", "-x509", *fresh, "-keyout", folder / "ca.key", "-out", authority, "-subj", "/CN=test", "-days", "2"]
    _openssl(*words, *(word for extension in extensions for word in ("-addext", extension)))
    _openssl("req", *fresh, "-keyout", key, "-out", folder / "leaf.csr", "-subj", "/CN=apiserver")
    identifier = "none" if fault == "authority key id" else "keyid"
    (folder / "leaf.ext").write_text(
        "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
        f"subjectAltName=IP:127.0.0.1\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier={identifier}\n"
    )
    signing = ["-CA", authority, "-CAkey", folder / "ca.key", "-CAcreateserial", "-days", "2"]
    _openssl("x509", "-req", "-in", folder / "leaf.csr", *signing, "-extfile", folder / "leaf.ext", "-out", leaf)
    return authority, leaf, key


def _openssl(*words: str | Path) -> None:
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def weak_door(cluster: Cluster, folder: Path, fault: str) -> Iterator[tuple[Door, Path]]:
    """Give a door with a certificate that strict Python refuses, and its authority."""
    authority, leaf, key = make_certificates(folder, fault=fault)
    found = yaml.safe_load(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]
    near = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    near.load_cert_chain(leaf, key)
    far = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    far.check_hostname, far.verify_mode = False, ssl.CERT_NONE  # ours to the real one: what is tested is the near end
    door = Door(found["server"], near, far)
    door.start()
    try:
        yield door, authority
    finally:
        door.stop()
