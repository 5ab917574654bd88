"""The line to one metrics source: its client, its concurrency limit and its circuit breaker.

A request runs in a thread and always ends by itself; whoever asked for it may have gone before. So it is the request
that holds the line's place, client and ticket, and it gives them back when its thread is done.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from prometheus_api_client import PrometheusConnect
from urllib3.util import Retry

from presage.adapters.prometheus_answers import guarded
from presage.adapters.prometheus_session import BoundedSession, QueryFault, remedies_of
from presage.core.faults import SourceFault
from presage.core.source import SourceSpec
from presage.core.source_reading import Source

T = TypeVar("T")
ReadSecret = Callable[[str, str], Awaitable[bytes]]
"""Reads (name, key) of a Secret in the operator's namespace; raises SourceFault if it cannot."""
Observer = Callable[[str, str, float], None]
"""Told of every request: source, outcome (`ok` or the fault's reason), seconds."""

_CLIENT_LIFE_S = 300.0  # then Secrets are read anew, so that rotated credentials are picked up
_PATIENCE = 2.0  # longest wait of an asker, its turn included, in time limits of the source
_FAILURES_TO_OPEN = 5
_OPEN_S = 5.0


class Breaker:
    """Stops asking a source that failed several times in a row; now and then one trial finds out whether it is back.

    Who is refused gets the last fault again, word for word: a status that quotes it does not change during an outage.

    Args:
        trial_s: Longest time to wait for a trial's result before another one may go.
    """

    def __init__(self, trial_s: float) -> None:
        self._trial_s = trial_s
        self._failures = 0
        self._last: SourceFault | None = None
        self._round = 0
        self._open_until = 0.0

    def check(self) -> None:
        """Raise the last fault if the source is not to be asked now."""
        if self._last and self._failures >= _FAILURES_TO_OPEN and time.monotonic() < self._open_until:
            raise SourceFault(self._last.reason, self._last.message)

    def admit(self) -> int:
        """Let one request pass, or raise as `check`; returns the ticket for `record`."""
        self.check()
        if self._failures >= _FAILURES_TO_OPEN:
            self._open(self._trial_s)
        return self._round

    def record(self, ticket: int, fault: SourceFault | None) -> None:
        """Count a request's end; what was asked before the breaker opened says nothing new and is not counted."""
        if ticket != self._round:
            return
        if fault is None or isinstance(fault, QueryFault):
            self._failures = 0
            return
        self._failures += 1
        self._last = fault
        if self._failures >= _FAILURES_TO_OPEN:
            self._open(_OPEN_S)

    def _open(self, seconds: float) -> None:
        self._round += 1
        self._open_until = time.monotonic() + seconds


@dataclass(slots=True)
class _Client:
    """A client; retired, it is closed when its last user is done."""

    connect: PrometheusConnect
    made_at: float
    users: int = 0
    retired: bool = False

    def retire(self) -> None:
        self.retired = True
        self._close_if_unused()

    def give_back(self) -> None:
        self.users -= 1
        self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self.retired and self.users == 0:
            self.connect.close()


class SourceLine:
    """Asks one source, within its limits.

    Args:
        source: The source; another spec is another line.
        read_secret: Reads credentials.
        allow_loopback: Whether the source may live on this host's loopback.
        observer: Told of every request, on the event loop.
    """

    def __init__(
        self,
        source: Source,
        read_secret: ReadSecret,
        *,
        allow_loopback: bool,
        observer: Observer | None,
    ) -> None:
        self._source = source
        self._read_secret = read_secret
        self._allow_loopback = allow_loopback
        # Threads of its own: those of a source that hangs are missed by no other one.
        self._threads = ThreadPoolExecutor(source.spec.limits.max_concurrency, thread_name_prefix="prometheus")
        self._observer = observer
        self._patience_s = _PATIENCE * source.spec.limits.timeout_s
        self._gate = asyncio.Semaphore(source.spec.limits.max_concurrency)
        self._breaker = Breaker(self._patience_s)
        self._client: _Client | None = None
        self._renewal = asyncio.Lock()

    def close(self) -> None:
        """Close the client, after the requests under way; what has not started is dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._retire_client()

    def _retire_client(self) -> None:
        if self._client is not None:
            self._client.retire()
            self._client = None

    async def ask(self, read: Callable[[PrometheusConnect], T]) -> T:
        """Run `read` in a thread when it is its turn.

        Raises:
            SourceFault: If there is no usable answer, or none within twice the source's time limit.
        """
        self._breaker.check()
        try:
            async with asyncio.timeout(self._patience_s):
                await self._gate.acquire()
                request = asyncio.ensure_future(self._run(read))
                request.add_done_callback(lambda _: self._gate.release())
                return await asyncio.shield(request)
        except TimeoutError:
            raise remedies_of(self._source.name).too_late(self._source.spec.limits.timeout_s) from None

    async def _run(self, read: Callable[[PrometheusConnect], T]) -> T:
        ticket, started = self._breaker.admit(), time.monotonic()
        try:
            answer = await self._request(read)
        except SourceFault as fault:
            self._record(ticket, started, fault)
            raise
        self._record(ticket, started, None)
        return answer

    def _record(self, ticket: int, started: float, fault: SourceFault | None) -> None:
        self._breaker.record(ticket, fault)
        if self._observer is not None:
            self._observer(self._source.name, fault.reason if fault else "ok", time.monotonic() - started)

    async def _request(self, read: Callable[[PrometheusConnect], T]) -> T:
        client = await self._take_client()
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, guarded, self._source, read, client.connect)
        finally:
            client.give_back()

    async def _take_client(self) -> _Client:
        """Return the client, made anew when it is too old; its user must give it back."""
        async with self._renewal:
            if self._client is None or time.monotonic() - self._client.made_at > _CLIENT_LIFE_S:
                fresh = _Client(await self._connect(self._source.spec), time.monotonic())
                self._retire_client()
                self._client = fresh
            self._client.users += 1
            return self._client

    async def _connect(self, spec: SourceSpec) -> PrometheusConnect:
        authorization = await self._authorize(spec)
        authority = await self._read_secret(spec.ca.name, spec.ca.key) if spec.ca and spec.verify else None
        session = BoundedSession(remedies_of(self._source.name), spec.limits)
        if authorization:
            session.headers["Authorization"] = authorization
        session.verify = spec.verify
        if authority is not None:
            session.trust(authority)
        connect = PrometheusConnect(spec.url, session=session, retry=Retry(0))
        session.allow_only_checked(allow_loopback=self._allow_loopback)  # after the client has mounted its own
        return connect

    async def _authorize(self, spec: SourceSpec) -> str | None:
        if spec.bearer_token:
            token = await self._read_secret(spec.bearer_token.name, spec.bearer_token.key)
            return f"Bearer {token.decode(errors='replace').strip()}"
        if spec.basic_auth:
            user = await self._read_secret(spec.basic_auth, "username")
            password = await self._read_secret(spec.basic_auth, "password")
            return "Basic " + base64.b64encode(user + b":" + password).decode()
        return None
