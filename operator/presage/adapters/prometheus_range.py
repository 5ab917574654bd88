"""One load by a query of the user's own, for the command line: blocking, and with requests alone.

The operator's own reading (`prometheus.py`) builds its queries itself, shares and keeps them; here a person names the
server and writes the query, once. Session, limits and faults are the same.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from presage.adapters.prometheus_session import BoundedSession, QueryFault, Remedies
from presage.core.faults import SourceFault
from presage.core.history import MAX_POINTS, SlotRange, split_range, to_grid
from presage.core.source import SourceLimits

_LIMITS = SourceLimits(timeout_s=60, max_bytes=64 * 1024 * 1024, max_series=1, max_concurrency=1)
_PATH = "/api/v1/query_range"
_SHOWN_SERIES = 3


@dataclass(frozen=True, slots=True)
class Access:
    """Where a Prometheus is and how to get in.

    Attributes:
        url: Base address; its path is kept.
        token: Bearer token; empty for none.
        user: Name and password for basic authentication, `name:password`; empty for none.
        authority: PEM of the authority to trust; None trusts those of the system.
    """

    url: str
    token: str = ""
    user: str = ""
    authority: bytes | None = None


def read_range(access: Access, query: str, wanted: SlotRange, tell: Callable[[str], None]) -> NDArray[np.float32]:
    """Return the query's values at the slots' ends, shape `(len(wanted),)`, NaN where there is none.

    Args:
        access: The server.
        query: PromQL that gives one series.
        wanted: Slots to ask for.
        tell: Told of each request.

    Raises:
        SourceFault: If there is no usable answer; `QueryFault` where the query is the cause.
    """
    parts = list(split_range(wanted, MAX_POINTS))
    found = []
    with _connect(access) as session:
        for number, part in enumerate(parts, start=1):
            tell(f"asking {access.url}: part {number} of {len(parts)}")
            found.append(_read_part(session, access, query, part))
    names = {name for name, _ in found if name is not None}
    if len(names) > 1:
        raise QueryFault("QueryFailed", _too_many(access, sorted(names)))
    return np.concatenate([values for _, values in found]) if found else to_grid((), wanted)


def check_url(url: str) -> str:
    """Return the base address without a trailing slash.

    Raises:
        ValueError: If it is no HTTP address, or holds credentials, which would end in logs.
    """
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError("the address holds credentials: give them by file or environment instead")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no address of a Prometheus: write one such as http://localhost:9090")
    return url.rstrip("/")


def _connect(access: Access) -> BoundedSession:
    remedies = Remedies(
        access.url,
        address="--prometheus",
        credentials="--token-file or --user-file",
        authority="--ca",
        query="--query",
        time_limit="ask for less with --from or a larger --step",
        size_limit="let --query give one series, as with sum(…)",
        quotes_refusal=True,
    )
    session = BoundedSession(remedies, _LIMITS)
    if access.token:
        session.headers["Authorization"] = f"Bearer {access.token}"
    elif access.user:
        session.headers["Authorization"] = "Basic " + base64.b64encode(access.user.encode()).decode()
    if access.authority is not None:
        session.trust(access.authority)
    session.allow_only_checked(allow_loopback=True)  # a port-forward on this machine is the usual way in
    return session


def _read_part(
    session: BoundedSession, access: Access, query: str, part: SlotRange
) -> tuple[str | None, NDArray[np.float32]]:
    """Return the name of the series, None if there is none, and its slots."""
    form = {"query": query, "start": part.query_start, "end": part.query_end, "step": part.step_s}
    response = session.request("GET", f"{access.url}{_PATH}", params=form)
    try:
        data = response.json()["data"]
        if data["resultType"] != "matrix":
            raise ValueError(data["resultType"])
        return _read_series(access, data["result"], part)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        what = "its answer is no Prometheus API answer: check --prometheus."
        raise SourceFault("BadAnswer", f"{access.url}: {what}") from None


def _read_series(access: Access, result: Any, part: SlotRange) -> tuple[str | None, NDArray[np.float32]]:
    if len(result) > 1:
        raise QueryFault("QueryFailed", _too_many(access, [_name(each["metric"]) for each in result]))
    if not result:
        return None, to_grid((), part)
    samples = ((float(time), float(value)) for time, value in result[0]["values"])
    return _name(result[0]["metric"]), to_grid(samples, part)


def _name(labels: Any) -> str:
    return "{" + ", ".join(f"{key}={value!r}" for key, value in sorted(labels.items())) + "}"


def _too_many(access: Access, names: list[str]) -> str:
    shown = ", ".join(name[:120] for name in names[:_SHOWN_SERIES])
    more = f" and {len(names) - _SHOWN_SERIES} more" if len(names) > _SHOWN_SERIES else ""
    return f"{access.url}: the query gives {len(names)} series ({shown}{more}): make it one, as with sum(…)."
