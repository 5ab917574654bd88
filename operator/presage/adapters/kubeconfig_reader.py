"""Simple reads for the command-line tool, through pykube-ng: small, and it reads a kubeconfig as kubectl does.

Unlike kubectl it reads one file: a `KUBECONFIG` that lists several is refused with what to do.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import pykube
import requests
import yaml
from urllib3.util.ssl_ import create_urllib3_context

from presage.adapters.kube_path import api_path
from presage.adapters.tls import set_strictness
from presage.core.installation.facts import Right
from presage.core.resource_type import ResourceType

_TIMEOUT_S = 10
_PAGE = 500
_LONGEST_MESSAGE = 300
_MAX_ANSWER = 64 * 1024 * 1024
_REVIEWS = ResourceType("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False)


class ReaderError(Exception):
    """Something cannot be read; the message says what to do.

        ReaderError
        ├── Refused   the API server says that the caller may not
        └── Absent    there is no such object, or no such type

    Attributes:
        exit_code: 2 for a wrong name or kubeconfig, 3 for a cluster that cannot be reached.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Refused(ReaderError):
    """The caller may not do this."""


class Absent(ReaderError):
    """There is no such object, or no such type."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the API server.

    Attributes:
        content: The body; at most as much as was asked for.
        date: Epoch second by the API server's clock; None if it gave none.
        sent: Epoch second by our clock when the request left.
        received: Epoch second by our clock when the answer came.
    """

    content: bytes
    date: float | None
    sent: float
    received: float


class _Adapter(pykube.http.KubernetesHTTPAdapter):  # type: ignore[misc]  # pykube has no types
    """Verifies certificates as kubectl does, on every Python: a person's tool must work where kubectl works."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        context = set_strictness(create_urllib3_context(), strict=False)
        super().init_poolmanager(*args, ssl_context=context, **options)


class ClusterReader:
    """Reads from one cluster as the kubeconfig's user.

    Args:
        context: Context of the kubeconfig; None for the current one.

    Raises:
        ReaderError: If the kubeconfig cannot be used.
    """

    def __init__(self, context: str | None) -> None:
        if os.pathsep in os.environ.get("KUBECONFIG", ""):
            raise ReaderError(
                "KUBECONFIG lists several files: name one, such as that of `kubectl config view --flatten > FILE`", 2
            )
        try:
            config = pykube.KubeConfig.from_env()
            if context:
                if context not in config.contexts:
                    raise ReaderError(f"the kubeconfig has no context {context!r}", 2)
                config.set_current_context(context)
            self.context: str = config.current_context
            self.namespace: str = config.namespace
            self._api = pykube.HTTPClient(config, timeout=_TIMEOUT_S, http_adapter=_Adapter(config))
        except yaml.YAMLError:
            raise ReaderError("the kubeconfig is no YAML; see KUBECONFIG", 2) from None
        except (pykube.exceptions.PyKubeError, ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            raise ReaderError(f"cannot use the kubeconfig: {error}; see KUBECONFIG and --context", 2) from None

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the object at a path.

        Raises:
            ReaderError: If it cannot be read.
        """
        return decode(self.fetch(path, query), path)

    def find(
        self, resource: ResourceType, name: str, namespace: str | None = None, subresource: str | None = None
    ) -> dict[str, Any]:
        """Return one object.

        Raises:
            ReaderError: If it cannot be read.
        """
        return self.get(api_path(resource, name, namespace, subresource))

    def each(
        self,
        resource: ResourceType,
        namespace: str | None = None,
        *,
        query: Mapping[str, str] | None = None,
        most: int = 100_000,
    ) -> Iterator[dict[str, Any]]:
        """Yield the objects of a type, page by page, at most `most` of them.

        Raises:
            ReaderError: If they cannot be read.
        """
        path, page, left = api_path(resource, None, namespace), {"limit": str(_PAGE)}, most
        while True:
            answer = self.get(path, {**(query or {}), **page})
            for item in answer.get("items") or ():
                if left == 0:
                    return
                left -= 1
                yield {"apiVersion": resource.api_version, "kind": resource.kind, **item}
            token = (answer.get("metadata") or {}).get("continue")
            if not token:
                return
            page["continue"] = token

    def allows(self, user: str, groups: list[str], right: Right) -> bool:
        """Ask by a SubjectAccessReview whether a user has a right.

        Raises:
            ReaderError: If it cannot be asked.
        """
        body = {
            "apiVersion": _REVIEWS.api_version,
            "kind": _REVIEWS.kind,
            "spec": {"user": user, "groups": groups, "resourceAttributes": right.to_review()},
        }
        path = api_path(_REVIEWS)
        answer = decode(self._send("POST", path, {}, body, _MAX_ANSWER), path)
        return bool(answer.get("status", {}).get("allowed"))

    def try_create(self, resource: ResourceType, namespace: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return what would be stored if an object were created; nothing is.

        Raises:
            ReaderError: If the cluster cannot be reached, or refuses it.
        """
        path, refusals = api_path(resource, None, namespace), (400, 403, 404, 409, 422)
        answer = self._send("POST", path, {"dryRun": "All"}, body, _MAX_ANSWER, refusals)
        found = decode(answer, path)
        if found.get("kind") == "Status":
            raise Refused(f"the cluster refuses: {_message(answer.content)}", 3)
        return found

    def fetch(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        max_bytes: int = _MAX_ANSWER,
        accepted: tuple[int, ...] = (),
    ) -> Answer:
        """Return what is at a path as it comes, cut after `max_bytes`; status codes in `accepted` are no error.

        Raises:
            ReaderError: If it cannot be read.
        """
        return self._send("GET", path, query or {}, None, max_bytes, accepted)

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: object,
        max_bytes: int,
        accepted: tuple[int, ...] = (),
    ) -> Answer:
        sent = time.time()
        try:
            with self._api.session.request(
                method, self._api.url.rstrip("/") + path, params=query, json=body, timeout=_TIMEOUT_S, stream=True
            ) as response:
                received = time.time()
                content = _read(response, max_bytes)
        except requests.RequestException as error:
            raise ReaderError(f"cannot reach the cluster at {self._api.url}: {_explain(error)}", 3) from None
        except (pykube.exceptions.PyKubeError, OSError) as error:  # such as a login helper of the kubeconfig that fails
            raise ReaderError(f"cannot log in to the cluster: {error}", 3) from None
        if response.status_code not in accepted:
            _refuse(response.status_code, path, content)
        return Answer(content, _date(response.headers.get("Date")), sent, received)


def decode(answer: Answer, path: str) -> dict[str, Any]:
    """Return an answer as the object it is.

    Raises:
        ReaderError: If it is none.
    """
    try:
        found = json.loads(answer.content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ReaderError(f"{path}: the answer is no object of the Kubernetes API", 3)
    return found


def _read(response: requests.Response, max_bytes: int) -> bytes:
    content = bytearray()
    for chunk in response.iter_content(64 * 1024):
        content += chunk
        if len(content) > max_bytes:
            return bytes(content[:max_bytes])
    return bytes(content)


def _refuse(status: int, path: str, content: bytes) -> None:
    """Raise what a status code means, in the API server's words where it has some."""
    if status < 400:
        return
    said = _message(content)
    if status == 401:
        raise ReaderError("the cluster does not accept the kubeconfig's credentials: log in again", 3)
    if status == 403:
        raise Refused(f"the cluster refuses: {said or path}", 3)
    if status == 404:
        raise Absent(f"there is nothing at {path}", 2)
    raise ReaderError(f"the cluster answers {status}: {said or path}", 3)


def _message(content: bytes) -> str:
    """Return the message of a Status, or the beginning of a text, in one line."""
    text = content.decode(errors="replace")
    with contextlib.suppress(ValueError, KeyError, TypeError):
        text = str(json.loads(text)["message"])
    text = " ".join(text.split()).rstrip(".")
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}…"


def _date(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None


def _explain(error: requests.RequestException) -> str:
    """Say in a few words why a request got no answer."""
    if isinstance(error, requests.exceptions.SSLError):
        nested = getattr(error.args[0], "reason", error) if error.args else error
        return f"its certificate is refused ({nested})"
    if isinstance(error, requests.Timeout):
        return f"no answer in {_TIMEOUT_S} s"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return type(error).__name__
