"""Keys and certificates of a cluster, made by openssl.

Strict verifiers (Python 3.13 is one) want from an authority basicConstraints, keyUsage and a subject key id, from
a leaf key usage, extended key usage, subject and authority key id. All are here, valid for a year, elliptic-curve
keys because they are made in no time. There are three authorities: for the cluster, for etcd (whose clients can
do anything) and for requests forwarded to aggregated APIs (whose headers are believed).
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.errors import ClusterError

VALID_DAYS = 365
_AUTHORITY_EXTENSIONS = (
    "basicConstraints=critical,CA:TRUE",
    "keyUsage=critical,keyCertSign,cRLSign",
    "subjectKeyIdentifier=hash",
)


@dataclass(frozen=True)
class Leaf:
    """One certificate to make.

    Attributes:
        name: File name without ending.
        subject: Distinguished name as openssl writes it, such as /O=group/CN=user.
        names: Subject alternative names, such as DNS:localhost or IP:127.0.0.1.
        authority: Name of the authority that signs it.
    """

    name: str
    subject: str
    names: tuple[str, ...] = ()
    authority: str = "ca"


AUTHORITIES = {"ca": "presage-cluster", "etcd-ca": "presage-etcd", "front-proxy-ca": "presage-front-proxy"}
"""Common name by authority."""


def leaf_extensions(leaf: Leaf) -> str:
    """Return the extensions of a leaf as an openssl file."""
    lines = [
        "basicConstraints=critical,CA:FALSE",
        "keyUsage=critical,digitalSignature",
        "extendedKeyUsage=serverAuth,clientAuth",
        "subjectKeyIdentifier=hash",
        "authorityKeyIdentifier=keyid",
        "subjectAltName=" + ",".join(leaf.names or ("DNS:" + leaf.name,)),
    ]
    return "\n".join(lines) + "\n"


def leaves(addresses: Sequence[str], node: str) -> list[Leaf]:
    """Return all leaves of a cluster.

    Args:
        addresses: IP addresses under which its servers are called.
        node: Node name; empty when there is no kubelet.
    """
    here = tuple("IP:" + address for address in addresses)
    service = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    found = [
        Leaf("apiserver", "/CN=kube-apiserver", (*here, "DNS:localhost", *("DNS:" + name for name in service))),
        Leaf("local", "/CN=localhost", ("IP:127.0.0.1", "DNS:localhost")),
        Leaf("admin", "/O=system:masters/CN=presage-admin"),
        Leaf("controller-manager", "/CN=system:kube-controller-manager"),
        Leaf("scheduler", "/CN=system:kube-scheduler"),
        Leaf("etcd", "/CN=etcd", ("IP:127.0.0.1", "DNS:localhost"), "etcd-ca"),
        Leaf("etcd-client", "/CN=kube-apiserver", authority="etcd-ca"),
        Leaf("front-proxy", "/CN=front-proxy", authority="front-proxy-ca"),
    ]
    if node:
        found += [
            Leaf("kubelet", f"/O=system:nodes/CN=system:node:{node}", ("DNS:" + node, *here)),
            Leaf("kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet"),
            Leaf("proxy", "/CN=system:kube-proxy"),
            Leaf("dns", "/CN=presage-dns"),
        ]
    return found


def make(folder: Path, wanted: Sequence[Leaf]) -> None:
    """Make whatever is absent: authorities, leaves, and the key that signs service-account tokens.

    Raises:
        ClusterError: openssl failed.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, common_name in AUTHORITIES.items():
        if not (folder / f"{name}.crt").exists():
            _authority(folder, name, common_name)
    for leaf in wanted:
        if not (folder / f"{leaf.name}.crt").exists():
            _leaf(folder, leaf)
    if not (folder / "sa.pub").exists():
        _openssl("genrsa", "-out", folder / "sa.key", "2048")
        _openssl("rsa", "-in", folder / "sa.key", "-pubout", "-out", folder / "sa.pub")


def _new_key(path: Path) -> list[str | Path]:
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path]


def _authority(folder: Path, name: str, common_name: str) -> None:
    words: list[str | Path] = ["req", "-x509", *_new_key(folder / f"{name}.key"), "-out", folder / f"{name}.crt"]
    words += ["-days", str(VALID_DAYS), "-subj", f"/CN={common_name}"]
    for extension in _AUTHORITY_EXTENSIONS:
        words += ["-addext", extension]
    _openssl(*words)


def _leaf(folder: Path, leaf: Leaf) -> None:
    request = folder / f"{leaf.name}.csr"
    extensions = folder / f"{leaf.name}.ext"
    extensions.write_text(leaf_extensions(leaf))
    _openssl("req", *_new_key(folder / f"{leaf.name}.key"), "-out", request, "-subj", leaf.subject)
    signer = folder / leaf.authority
    words: list[str | Path] = ["x509", "-req", "-in", request, "-CA", f"{signer}.crt", "-CAkey", f"{signer}.key"]
    words += ["-CAcreateserial", "-days", str(VALID_DAYS), "-extfile", extensions]
    _openssl(*words, "-out", folder / f"{leaf.name}.crt")
    request.unlink()
    extensions.unlink()


def _openssl(*words: str | Path) -> None:
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise ClusterError("certificates", f"openssl {words[0]} failed: {' / '.join(said[-2:])}")
