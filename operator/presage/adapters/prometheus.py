"""Metrics sources over the Prometheus HTTP API, through prometheus-api-client on a bounded session.

Each source has its own client, concurrency limit and circuit breaker; requests run in threads of their own, so that a
slow source never holds up the event loop or the API server's writes. History is kept per (source, query, step) and
only its newest slots are fetched; equal askers share it.
"""

from __future__ import annotations

import asyncio
import base64
import math
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from prometheus_api_client import PrometheusConnect
from urllib3.util import Retry

from presage.adapters.prometheus_session import BoundedSession, CheckedAdapter
from presage.core.faults import SourceFault
from presage.core.history import SlotRange, plan_missing, split_range, to_grid
from presage.core.source import SourceSpec
from presage.core.source_reading import History, Source, TickSample

T = TypeVar("T")
ReadSecret = Callable[[str, str], Awaitable[bytes]]
"""Reads (name, key) of a Secret in the operator's namespace; raises SourceFault if it cannot."""
Observer = Callable[[str, str, float], None]
"""Told of every request: source, outcome (`ok` or the fault's reason), seconds."""

_CLIENT_LIFE_S = 300.0  # then Secrets are read anew, so that rotated credentials are picked up
_FAILURES_TO_OPEN = 5
_OPEN_S = 5.0
_MAX_HISTORIES = 20_000
_FORGET_HISTORY_S = 3_600.0


@dataclass(slots=True)
class _Client:
    generation: int
    made_at: float
    connect: PrometheusConnect
    ca_file: Any


@dataclass(slots=True)
class _Breaker:
    """Stops asking a source that failed several times in a row, for a short while."""

    failures: int = 0
    open_until: float = 0.0

    def refuse(self, source: str) -> None:
        if time.monotonic() < self.open_until:
            raise SourceFault(
                "CircuitOpen", f"MetricSource {source}: {self.failures} failures in a row; asked again soon."
            )

    def record(self, *, ok: bool) -> None:
        self.failures = 0 if ok else self.failures + 1
        if self.failures >= _FAILURES_TO_OPEN:
            self.open_until = time.monotonic() + _OPEN_S


@dataclass(slots=True)
class _Stored:
    """Slots held of one history; `last` is the index of the newest one."""

    values: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    last: int | None = None
    used_at: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class PrometheusLoads:
    """Answers the port `Loads`.

    Args:
        read_secret: Reads credentials.
        allow_loopback: Whether sources may live on this host's loopback; for tests and single-host use.
        threads: Requests under way at most, over all sources.
        observer: Told of every request, in its thread.
    """

    def __init__(
        self,
        read_secret: ReadSecret,
        *,
        allow_loopback: bool = False,
        threads: int = 16,
        observer: Observer | None = None,
    ) -> None:
        self._read_secret = read_secret
        self._allow_loopback = allow_loopback
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="prometheus")
        self._observer = observer
        self._clients: dict[str, _Client] = {}
        self._gates: dict[tuple[str, int], asyncio.Semaphore] = {}
        self._breakers: dict[str, _Breaker] = {}
        self._histories: dict[tuple[str, int, str, int], _Stored] = {}

    async def close(self) -> None:
        """Drop what has not started and close connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.connect.close()

    async def probe(self, source: Source) -> str:
        """Return the server's version, empty if it does not tell.

        Raises:
            SourceFault: If the source cannot be used.
        """
        await self._ask(source, lambda prometheus: prometheus.custom_query("vector(1)"))
        try:
            return await self._ask(source, _read_version)
        except SourceFault:
            return ""  # not every compatible server tells its version

    async def observe(self, source: Source, query: str) -> TickSample:
        """Return the answer to a tick query (`core.query.build_tick_query`).

        Raises:
            SourceFault: If there is no usable answer.
        """
        result = await self._ask(source, lambda prometheus: prometheus.custom_query(query))
        try:
            values = {entry["metric"].get("presage", ""): float(entry["value"][1]) for entry in result}
            targets = frozenset(name for entry in result for name in _name_target(entry["metric"]))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            raise _bad_answer(source) from None
        load, newest = values.get("load"), values.get("newest")
        return TickSample(
            load=load if load is not None and math.isfinite(load) and load >= 0 else None,
            newest_at=newest if newest is not None and math.isfinite(newest) else None,
            targets=targets,
        )

    async def history(self, source: Source, query: str, step_s: int, history_s: float, now: float) -> History:
        """Return the complete slots up to `now`, oldest first; only those not held yet are fetched.

        Raises:
            SourceFault: If there is no usable answer; what was fetched before stays held.
        """
        stored = self._histories.setdefault((source.name, source.generation, query, step_s), _Stored())
        stored.used_at = now
        async with stored.lock:
            for part in split_range(plan_missing(stored.last, now, step_s, history_s)):
                samples = await self._ask(source, partial(_query_range, query, part))
                stored.values = np.concatenate([stored.values, to_grid(_parse_range(source, samples), part)])
                stored.last = part.last
            stored.values = stored.values[-int(history_s // step_s) :]
        self._forget_unused(now)
        last = stored.last if stored.last is not None else int(now // step_s) - 1
        return History(stored.values, float((last + 1 - len(stored.values)) * step_s))

    def _forget_unused(self, now: float) -> None:
        """Drop histories nobody asks for any more; past the limit the one unused longest goes."""
        old = [key for key, stored in self._histories.items() if now - stored.used_at > _FORGET_HISTORY_S]
        if len(self._histories) > _MAX_HISTORIES:
            old.append(min(self._histories, key=lambda key: self._histories[key].used_at))
        for key in old:
            self._histories.pop(key, None)

    async def _ask(self, source: Source, query: Callable[[PrometheusConnect], T]) -> T:
        """Run one request in a thread, within the source's concurrency and breaker."""
        limits = source.spec.limits
        breaker = self._breakers.setdefault(source.name, _Breaker())
        gate = self._gates.setdefault((source.name, limits.max_concurrency), asyncio.Semaphore(limits.max_concurrency))
        breaker.refuse(source.name)
        client = await self._client(source)
        async with gate:
            started, outcome = time.monotonic(), "ok"
            try:
                result = await asyncio.get_running_loop().run_in_executor(
                    self._threads, _guarded, source, client, query
                )
            except SourceFault as fault:
                outcome = fault.reason
                raise
            finally:
                breaker.record(ok=outcome == "ok")
                if self._observer is not None:
                    self._observer(source.name, outcome, time.monotonic() - started)
        if isinstance(result, list) and len(result) > limits.max_series:
            raise SourceFault("TooLarge", f"MetricSource {source.name}: more than {limits.max_series} series.")
        return result

    async def _client(self, source: Source) -> PrometheusConnect:
        known = self._clients.get(source.name)
        if known and known.generation == source.generation and time.monotonic() - known.made_at < _CLIENT_LIFE_S:
            return known.connect
        session = BoundedSession(source.name, source.spec.limits)
        ca_file = await self._configure(session, source.spec)
        connect = PrometheusConnect(source.spec.url, session=session, retry=Retry(0))
        session.mount(source.spec.url, CheckedAdapter(allow_loopback=self._allow_loopback))
        if known:
            known.connect.close()
        self._clients[source.name] = _Client(source.generation, time.monotonic(), connect, ca_file)
        return connect

    async def _configure(self, session: BoundedSession, spec: SourceSpec) -> Any:
        """Give the session its credentials and trust; returns the CA file, which lives as long as it is held."""
        if spec.bearer_token:
            token = await self._read_secret(spec.bearer_token.name, spec.bearer_token.key)
            session.headers["Authorization"] = f"Bearer {token.decode(errors='replace').strip()}"
        if spec.basic_auth:
            user = await self._read_secret(spec.basic_auth, "username")
            password = await self._read_secret(spec.basic_auth, "password")
            session.headers["Authorization"] = "Basic " + base64.b64encode(user + b":" + password).decode()
        session.verify = spec.verify
        if not (spec.ca and spec.verify):
            return None
        ca_file = tempfile.NamedTemporaryFile(prefix="presage-ca-", suffix=".pem")  # noqa: SIM115  # lives with the client
        ca_file.write(await self._read_secret(spec.ca.name, spec.ca.key))
        ca_file.flush()
        session.verify = ca_file.name
        return ca_file


def _guarded(source: Source, client: PrometheusConnect, query: Callable[[PrometheusConnect], T]) -> T:
    """Run `query`; whatever shape a hostile answer has, the only error that leaves is a SourceFault."""
    try:
        return query(client)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _bad_answer(source) from None


def _bad_answer(source: Source) -> SourceFault:
    return SourceFault(
        "BadAnswer", f"MetricSource {source.name}: its answer is no Prometheus API answer: check spec.url."
    )


def _name_target(labels: Any) -> Iterator[str]:
    """Yield the names by which a pod can know itself among the instances: its own, and its address without the port."""
    if labels.get("presage") != "target":
        return
    if pod := labels.get("pod"):
        yield pod
    if instance := labels.get("instance"):
        yield instance.rsplit(":", 1)[0].strip("[]")


def _query_range(query: str, part: SlotRange, prometheus: PrometheusConnect) -> Any:
    start, end = (datetime.fromtimestamp(t, UTC) for t in (part.query_start, part.query_end))
    return prometheus.custom_query_range(query, start, end, str(part.step_s))


def _read_version(prometheus: PrometheusConnect) -> str:
    answer = prometheus._session.request("GET", f"{prometheus.url}/api/v1/status/buildinfo").json()
    return str(answer["data"]["version"])[:64]


def _parse_range(source: Source, result: Any) -> list[tuple[float, float]]:
    """Return (epoch s, value) of a range answer; the queries sum, so there is one series or none."""
    try:
        return [(float(t), float(v)) for entry in result[:1] for t, v in entry["values"]]
    except (KeyError, TypeError, ValueError):
        raise _bad_answer(source) from None
