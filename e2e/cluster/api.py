"""The few calls the tool itself makes: health of parts, nodes, service accounts."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 5.0


def http_status(url: str, context: ssl.SSLContext | None = None) -> int:
    """Return the HTTP status of a GET, 0 when nothing answers."""
    try:
        return _call("GET", url, None, context)[0]
    except (OSError, http.client.HTTPException):
        return 0


def _call(method: str, url: str, body: Any, context: ssl.SSLContext | None) -> tuple[int, bytes]:
    place = urlsplit(url)
    host, port = place.hostname or "", place.port
    connection: http.client.HTTPConnection
    if place.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
    try:
        data = None if body is None else json.dumps(body)
        target = place.path + (f"?{place.query}" if place.query else "")
        connection.request(method, target, data, {"Content-Type": "application/json"} if data else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Api:
    """The API server as its administrator.

    Args:
        server: URL of the API server.
        pki: Folder of the cluster's certificates.
    """

    def __init__(self, server: str, pki: Path) -> None:
        self._server = server
        self._pki = pki

    def context(self) -> ssl.SSLContext:
        """Return a TLS context that trusts the cluster and shows the administrator's certificate."""
        context = ssl.create_default_context(cafile=str(self._pki / "ca.crt"))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        context.load_cert_chain(self._pki / "admin.crt", self._pki / "admin.key")
        return context

    def healthy(self, url: str = "") -> bool:
        """Tell whether a health URL of this cluster answers 200; the API server's own by default."""
        return http_status(url or f"{self._server}/readyz", self.context()) == 200

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        """Return status and decoded answer of one call; status 0 when nothing answers."""
        try:
            status, data = _call(method, self._server + path, body, self.context())
            return status, json.loads(data)
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            return 0, {}

    def node_ready(self, name: str) -> bool:
        """Tell whether a node has the condition Ready=True and no taint keeps pods off it."""
        status, node = self.call("GET", f"/api/v1/nodes/{name}")
        if status != 200:
            return False
        conditions = node.get("status", {}).get("conditions", [])
        ready = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
        return ready and not node["spec"].get("taints")

    def pods_can_be_made(self) -> bool:
        """Tell whether the default namespace has its service account and the root certificate for its pods."""
        names = ("/api/v1/namespaces/default/serviceaccounts/default", "/api/v1/namespaces/default/configmaps/")
        return self.call("GET", names[0])[0] == 200 and self.call("GET", names[1] + "kube-root-ca.crt")[0] == 200


def kubeconfig(server: str, pki: Path, user: str, context: str) -> str:
    """Return a kubeconfig with everything inside, so that it works from any folder.

    Args:
        server: URL of the API server.
        pki: Folder of the certificates.
        user: Name of the certificate whose owner it speaks for.
        context: Name of its only context and cluster.
    """

    def inline(name: str) -> str:
        return base64.b64encode((pki / name).read_bytes()).decode()

    cluster = {"server": server, "certificate-authority-data": inline("ca.crt")}
    secrets = {"client-certificate-data": inline(f"{user}.crt"), "client-key-data": inline(f"{user}.key")}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": cluster}],
        "users": [{"name": user, "user": secrets}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": user}}],
        "current-context": context,
    }
    return json.dumps(content, indent=1) + "\n"
