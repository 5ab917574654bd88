"""An HTTP session that trusts neither the answer nor the address: everything a source may do to us is bounded.

Invariants: no redirect is followed, no proxy variable or netrc is read, the address that was really connected to is
checked (so a name that resolves anew cannot slip by) whatever the address looks like, the decoded body and the whole
time are limited, and nothing of a body ever reaches a message, but for a refused query's to the person who wrote it.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import tempfile
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError as TransportError

from presage.adapters.prometheus_deadline import Deadline, guard_current
from presage.core.faults import SourceFault
from presage.core.source import SourceLimits

_CHUNK = 65_536
_CONNECT_S = 3.0
_LONGEST_ADDRESS = 4_000  # characters of a query in an address: many proxies refuse one of 8 KiB
_LONGEST_REFUSAL = 300
_QUERY_AT_FAULT = (400, 405, 413, 414, 422)  # 405, 413, 414: a proxy does not take a query as long as this one


class ForbiddenAddressError(OSError):
    """The name led to an address that no source may have."""


class QueryFault(SourceFault):
    """The source works, but not for this query: no sign that the source itself fails."""


@dataclass(frozen=True, slots=True)
class Remedies:
    """How whoever set the source up calls its settings; messages name them.

    Attributes:
        subject: What the source is called at the start of a message.
        address: Where its address is set.
        credentials: Where its credentials are set.
        authority: Where the authority of its certificate is set.
        query: What the query comes from.
        time_limit: How to allow for more time.
        size_limit: How to allow for a larger answer.
        quotes_refusal: Whether messages quote what the source says of a query that it refuses: only to the person who
            wrote the query and named the source.
    """

    subject: str
    address: str = "spec.url"
    credentials: str = "spec.auth"
    authority: str = "spec.tls.caSecretRef"
    query: str = "metric and matchers"
    time_limit: str = "raise spec.limits.timeoutSeconds"
    size_limit: str = "narrow the matchers or raise spec.limits.maxBytes"
    quotes_refusal: bool = False

    def too_late(self, limit_s: float) -> SourceFault:
        """Return the fault of a source that did not answer in time; one wording, since a status quotes it."""
        what = f"no answer within {limit_s:g} s: see its load, or {self.time_limit}."
        return SourceFault("Unreachable", f"{self.subject}: {what}")


def remedies_of(source: str) -> Remedies:
    """Return the remedies for a MetricSource."""
    return Remedies(f"MetricSource {source}")


def is_forbidden(address: str, *, allow_loopback: bool) -> bool:
    """Return whether a source may not live at `address`: link-local, multicast, unspecified, or loopback."""
    ip = ipaddress.ip_address(address.split("%", 1)[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.is_loopback:
        return not allow_loopback
    return ip.is_link_local or ip.is_multicast or ip.is_unspecified


def _checked(connection: type[HTTPConnection], *, allow_loopback: bool) -> type[HTTPConnection]:
    class Checked(connection):  # type: ignore[valid-type,misc]  # the base is chosen at run time: HTTP or HTTPS
        def _new_conn(self) -> socket.socket:
            sock: socket.socket = super()._new_conn()
            address = str(sock.getpeername()[0])
            if is_forbidden(address, allow_loopback=allow_loopback):
                sock.close()
                raise ForbiddenAddressError(address)
            return sock

        def getresponse(self) -> Any:
            guard_current(self.sock)
            return super().getresponse()

    return Checked


class CheckedAdapter(HTTPAdapter):
    """Connects only to addresses that a source may have, under the caller's deadline; never retries by itself."""

    def __init__(self, *, allow_loopback: bool) -> None:
        self._allow_loopback = allow_loopback
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Give urllib3 pools whose connections check the peer."""
        super().init_poolmanager(*args, **kwargs)
        plain = type("Pool", (HTTPConnectionPool,), {})
        secure = type("SecurePool", (HTTPSConnectionPool,), {})
        plain.ConnectionCls = _checked(HTTPConnection, allow_loopback=self._allow_loopback)  # type: ignore[attr-defined]
        secure.ConnectionCls = _checked(HTTPSConnection, allow_loopback=self._allow_loopback)  # type: ignore[attr-defined]
        self.poolmanager.pool_classes_by_scheme = {"http": plain, "https": secure}


class BoundedSession(requests.Session):
    """A session for one source. Every fault is a `SourceFault` with a reason and a remedy.

    Args:
        remedies: What messages call the source and its settings.
        limits: Its limits.
    """

    def __init__(self, remedies: Remedies, limits: SourceLimits) -> None:
        super().__init__()
        self.trust_env = False
        self._remedies = remedies
        self._limits = limits
        self._ca_file: Any = None

    def trust(self, authority: bytes) -> None:
        """Verify certificates against this authority (PEM) alone; its file lives as long as the session."""
        self._ca_file = tempfile.NamedTemporaryFile(prefix="presage-ca-", suffix=".pem")  # noqa: SIM115  # see close()
        self._ca_file.write(authority)
        self._ca_file.flush()
        self.verify = self._ca_file.name

    def allow_only_checked(self, *, allow_loopback: bool) -> None:
        """Drop every mounted adapter for one that checks addresses.

        Adapters are picked by the start of the *normalised* address, so one mounted at the address as it was written
        is passed over for `/%7Ep` or `/a/./b`: nothing else may be mounted.
        """
        self.adapters.clear()
        checked = CheckedAdapter(allow_loopback=allow_loopback)
        for scheme in ("http://", "https://"):
            self.mount(scheme, checked)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None always: even a redirect not followed would have its body read without limit."""

    def close(self) -> None:
        """Close connections and delete the authority's file."""
        super().close()
        if self._ca_file is not None:
            self._ca_file.close()

    def request(self, method: str | bytes, url: str | bytes, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """Send one request and read its whole body within the limits.

        Raises:
            SourceFault: On any answer but 200 or 204, and on any breach of a limit.
        """
        limit = self._limits.timeout_s
        if len(urlencode(kwargs.get("params") or {})) > _LONGEST_ADDRESS:
            method, kwargs["data"] = "POST", kwargs.pop("params")  # a form, as the API takes it
        kwargs |= {"allow_redirects": False, "stream": True, "timeout": (min(_CONNECT_S, limit), limit)}
        with Deadline(limit) as deadline:
            try:
                with super().request(method, url, **kwargs) as response:
                    if not deadline.passed:
                        self._refuse_status(response)
                        response._content = self._read_body(response)
            except (requests.RequestException, TransportError, OSError) as error:
                raise (self._too_late() if deadline.passed else self._explain(error)) from error
            if deadline.passed:
                raise self._too_late()
        return response

    def _read_body(self, response: requests.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > self._limits.max_bytes:
                what = f"its answer is over {self._limits.max_bytes} bytes"
                raise QueryFault("TooLarge", self._word(f"{what}: {self._remedies.size_limit}"))
        return bytes(body)

    def _refuse_status(self, response: requests.Response) -> None:
        status, remedies = response.status_code, self._remedies
        if status in (requests.codes.ok, requests.codes.no_content):  # the latter to what was written
            return
        if status in (401, 403):
            what = f"it refuses the credentials (HTTP {status}): check {remedies.credentials}"
            raise self._fault("Unauthorized", what)
        if 300 <= status < 400:
            what = f"it redirects (HTTP {status}), which is not followed: correct {remedies.address}"
            raise self._fault("Redirected", what)
        if status == 404:
            what = f"there is no Prometheus API at this address (HTTP 404): check {remedies.address}"
            raise self._fault("BadAnswer", what)
        if status in _QUERY_AT_FAULT:
            said = _read_refusal(response) if remedies.quotes_refusal else ""
            what = f"it refuses the query (HTTP {status}{said}): check {remedies.query}"
            raise QueryFault("QueryFailed", self._word(what))
        raise self._fault("QueryFailed", f"it answers HTTP {status}: see its own log")

    def _explain(self, error: Exception) -> SourceFault:
        remedies = self._remedies
        if _caused_by(error, ForbiddenAddressError):
            return self._fault("AddressForbidden", "its name leads to a loopback or link-local address")
        if isinstance(error, requests.exceptions.SSLError):
            what = f"its TLS certificate is refused: give its authority by {remedies.authority}"
            return self._fault("CertificateRefused", what)
        if isinstance(error, requests.Timeout):
            return self._too_late()
        what = f"no connection: check {remedies.address}, the Service behind it and network rules"
        return self._fault("Unreachable", what)

    def _too_late(self) -> SourceFault:
        return self._remedies.too_late(self._limits.timeout_s)

    def _fault(self, reason: str, what: str) -> SourceFault:
        return SourceFault(reason, self._word(what))

    def _word(self, what: str) -> str:
        return f"{self._remedies.subject}: {what}."


def _read_refusal(response: requests.Response) -> str:
    """Return what a Prometheus says of a query that it refuses, one short printable line; empty if it says nothing."""
    try:
        said = json.loads(response.raw.read(_CHUNK, decode_content=True))["error"]
    except (ValueError, LookupError, TypeError, RecursionError, TransportError, OSError):
        return ""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(said)).split())
    return f", {line[:_LONGEST_REFUSAL]}" if line else ""


def _caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    """Return whether `kind` is anywhere behind `error`; urllib3 keeps causes in several places."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, kind):
            return True
        nested = next((a for a in error.args if isinstance(a, BaseException)), None)
        error = getattr(error, "reason", None) or nested or error.__cause__ or error.__context__
        if not isinstance(error, BaseException):
            return False
    return False
