"""Why the Kubernetes API did not do what it was asked; shared by the parts that ask and the parts that decide.

```
KubeError
├── NotFound      404: no such object, or no such API
├── Conflict      409: changed since it was read, exists already, or a field belongs to another manager
├── Forbidden     401, 403: not allowed
├── Gone          410: the resource version is too old, list again
├── Throttled     429, or 503 with Retry-After: come back after `retry_after_s`
├── Invalid       400, 422 and any other refusal of the request itself: repeating it does not help
├── Unavailable   no answer in time, no connection, 5xx: the outcome of a write is unknown
└── NotLeader     not sent: this process does not hold the Lease
```
Messages hold the API server's reason, cut in length, never a request or response body.
"""

from __future__ import annotations

_MAX_MESSAGE = 512


class KubeError(Exception):
    """A request to the Kubernetes API that did not succeed.

    Attributes:
        status: HTTP status, or 0 where there was no answer.
        reason: the API server's machine-readable reason, such as `AlreadyExists`; empty where it gave none.
    """

    def __init__(self, message: str, *, status: int = 0, reason: str = "") -> None:
        super().__init__(message if len(message) <= _MAX_MESSAGE else message[: _MAX_MESSAGE - 1] + "…")
        self.status = status
        self.reason = reason


class NotFound(KubeError):
    """The object or the API is not there."""


class Conflict(KubeError):
    """The object changed since it was read, exists already, or a field belongs to another manager."""


class Forbidden(KubeError):
    """The caller is not known or not allowed to do this."""


class Gone(KubeError):
    """The resource version asked for is too old; only a new list helps."""


class Throttled(KubeError):
    """The API server asks to come back later.

    Attributes:
        retry_after_s: seconds to wait, as the server said; 1 where it did not.
    """

    def __init__(self, message: str, *, status: int = 429, reason: str = "", retry_after_s: float = 1.0) -> None:
        super().__init__(message, status=status, reason=reason)
        self.retry_after_s = retry_after_s


class Invalid(KubeError):
    """The API server refuses the request itself; the same request will be refused again."""


class Unavailable(KubeError):
    """No usable answer: no connection, no answer in time, or a fault of the server. A write may have been done."""


class NotLeader(KubeError):
    """A write was not sent, because this process does not hold the Lease."""
