"""One HTTP exchange with the API server, blocking, for use in threads only.

The kubernetes client library gives address, TLS, credentials and the connection pool. Requests go straight to its
pool, so that answers stay raw JSON: no model is built, unknown fields survive, and the cost of an answer is that of
`json.loads`. Invariants: every request has a connect and a read limit; nothing is retried or redirected here; every
failure is a `KubeError`.
"""

from __future__ import annotations

import errno
import json
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import urllib3
from kubernetes.client.api_client import ApiClient
from urllib3.connection import HTTPSConnection

from presage.adapters.kube_config import authorization
from presage.adapters.kube_error import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    KubeError,
    NotFound,
    Throttled,
    Unavailable,
)
from presage.adapters.kube_json import int_at, text_at
from presage.adapters.tls import build_ssl_context, explain_tls

MAX_ANSWER_BYTES = 64 * 2**20
"""Largest answer read: a page of 500 objects of 100 KiB, with room."""
MAX_LINE_BYTES = 8 * 2**20
"""Largest event of a watch: etcd refuses objects beyond 1.5 MiB; managed fields and encoding may add to that."""
_USER_AGENT = "presage"
_NO_CONNECTION = (ConnectionRefusedError, socket.gaierror)
_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH)
_BY_STATUS: Mapping[int, type[KubeError]] = {
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits of one request, in seconds: to connect, and between two reads."""

    connect_s: float
    read_s: float


class Stream:
    """An open watch: lines of JSON until the server ends it or `shutdown` is called from another thread."""

    def __init__(self, response: urllib3.BaseHTTPResponse, server: str) -> None:
        self.server = server
        self._response = response

    def lines(self) -> Iterator[dict[str, object]]:
        """Yield one decoded object for each line.

        Raises:
            Unavailable: the connection broke, was silent for longer than the read limit, or sent no valid JSON.
        """
        buffer = bytearray()
        try:
            for chunk in self._response.stream(amt=2**16, decode_content=True):
                buffer += chunk
                if b"\n" in chunk:
                    *complete, rest = bytes(buffer).split(b"\n")
                    buffer = bytearray(rest)
                    for line in complete:
                        if line.strip():
                            yield _decoded(line)
                elif len(buffer) > MAX_LINE_BYTES:
                    raise Unavailable(f"an event of the watch is larger than {MAX_LINE_BYTES} bytes")
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise _unreachable(error, self.server) from error

    def shutdown(self) -> None:
        """End the stream from another thread: a read that waits returns at once."""
        try:
            self._response.shutdown()
        except (ValueError, RuntimeError, OSError):
            return  # ended already: there is no connection left to shut

    def close(self) -> None:
        """Close the connection; it is not used again, since its end was not reached."""
        self._response.close()


class Transport:
    """Sends requests with the configuration's address, TLS and credentials. Safe to use from many threads."""

    def __init__(self, configuration: Any, *, strict_certificates: bool = True) -> None:
        self._configuration = configuration
        self._api = ApiClient(configuration)
        self._pool: urllib3.PoolManager = self._api.rest_client.pool_manager
        self._pool.pool_classes_by_scheme = {
            "http": urllib3.HTTPConnectionPool,
            "https": _pool_class(
                lambda: build_ssl_context(
                    strict=strict_certificates,
                    verify=configuration.verify_ssl,
                    authority_file=configuration.ssl_ca_cert,
                )
            ),
        }

    @property
    def server(self) -> str:
        """The API server's URL."""
        return str(self._configuration.host)

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._api.close()

    def request(
        self,
        method: str,
        path: str,
        limits: Limits,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
    ) -> dict[str, object]:
        """Send one request and decode its answer.

        Raises:
            KubeError: of the kind that fits; see `presage.adapters.kube_error`.
        """
        response = self._send(method, path, limits, query=query, body=body, content_type=content_type)
        try:
            data = response.read(amt=MAX_ANSWER_BYTES + 1, decode_content=True)
            if len(data) > MAX_ANSWER_BYTES:
                response.close()
                raise Unavailable(f"the answer to {method} {path} is larger than {MAX_ANSWER_BYTES} bytes")
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unreachable(error, self.server) from error
        finally:
            response.release_conn()
        if response.status >= 300:
            raise error_of(response.status, data, response.headers.get("Retry-After"))
        return _decoded(data)

    def stream(self, path: str, limits: Limits, *, query: Mapping[str, str]) -> Stream:
        """Open a watch.

        Raises:
            KubeError: the watch was refused or the server cannot be reached.
        """
        response = self._send("GET", path, limits, query=query)
        if response.status < 300:
            return Stream(response, self.server)
        try:
            data = response.read(amt=2**20, decode_content=True)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unreachable(error, self.server) from error
        finally:
            response.close()
        raise error_of(response.status, data, response.headers.get("Retry-After"))

    def _send(
        self,
        method: str,
        path: str,
        limits: Limits,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
    ) -> urllib3.BaseHTTPResponse:
        url = self.server + path + (f"?{urlencode(query)}" if query else "")
        headers = {"Accept": "application/json", "User-Agent": _USER_AGENT, **authorization(self._configuration)}
        data = None
        if body is not None:
            data = json.dumps(body, separators=(",", ":")).encode()
            headers["Content-Type"] = content_type
        try:
            return self._pool.request(
                method,
                url,
                body=data,
                headers=headers,
                timeout=urllib3.Timeout(connect=limits.connect_s, read=limits.read_s),
                preload_content=False,
                retries=False,
                redirect=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unreachable(error, self.server) from error


def _pool_class(new_context: Callable[[], ssl.SSLContext]) -> type[urllib3.HTTPSConnectionPool]:
    """Return a pool whose connections each have a TLS context of their own.

    urllib3 loads the client's certificate into the context anew for every connection. OpenSSL frees the one that was
    there, even while another thread shakes hands with it: a context that threads share ends the process with a
    segmentation fault. A context for each connection also reads certificates that were renewed in the meantime.
    """

    class OwnContext(HTTPSConnection):
        def connect(self) -> None:
            self.ssl_context = new_context()
            super().connect()

    class Pool(urllib3.HTTPSConnectionPool):
        ConnectionCls = OwnContext

    return Pool


def error_of(status: int, body: bytes, retry_after: str | None = None) -> KubeError:
    """The error that a refused request stands for.

    Args:
        status: HTTP status, 300 or more.
        body: the answer; a `Status` object where the API server itself answered.
        retry_after: value of the `Retry-After` header.
    """
    try:
        answer = _decoded(body)
    except Unavailable:
        answer = {}
    return status_error(answer, status, retry_after)


def status_error(answer: Mapping[str, object], code: int, retry_after: str | None = None) -> KubeError:
    """The error that a `Status` object stands for, by its code."""
    reason = text_at(answer, "reason") or ""
    message = text_at(answer, "message") or f"the API server answered with status {code}"
    wait = int_at(answer, "details", "retryAfterSeconds")
    if retry_after is not None and retry_after.isdecimal():
        wait = int(retry_after)
    if code == 429 or (code == 503 and wait is not None):
        return Throttled(message, status=code, reason=reason, retry_after_s=float(min(max(wait or 1, 1), 600)))
    if code in _BY_STATUS:
        return _BY_STATUS[code](message, status=code, reason=reason)
    if 400 <= code < 500:
        return Invalid(message, status=code, reason=reason)
    return Unavailable(message, status=code, reason=reason)


def _decoded(data: bytes) -> dict[str, object]:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise Unavailable("the API server's answer is not JSON") from error
    if not isinstance(value, dict):
        raise Unavailable("the API server's answer is not a JSON object")
    return value


def _unreachable(error: Exception, server: str) -> Unavailable:
    """Say why there was no answer, in words that stay the same while the cause does: whoever tells it tells it once."""
    refused = isinstance(error, urllib3.exceptions.NewConnectionError)  # for urllib3 that is a timeout, too
    if isinstance(error, urllib3.exceptions.TimeoutError | TimeoutError) and not refused:
        return Unavailable(f"the API server {server} did not answer in time")
    return Unavailable(explain_tls(error) or f"the API server {server} cannot be reached: {_root_cause(error)}")


def _root_cause(error: BaseException) -> str:
    """Return why no connection came about, or that one broke: how it broke differs from try to try."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, _NO_CONNECTION) or getattr(seen, "errno", None) in _NO_ROUTE:
            return str(getattr(seen, "strerror", None) or seen)
        seen = seen.__cause__ or seen.__context__ or next((a for a in seen.args if isinstance(a, BaseException)), None)
    return "the connection was cut off"
