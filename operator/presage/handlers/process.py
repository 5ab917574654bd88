"""The operator process; the only place that wires it together.

Order: settings, logs, our HTTP server, the API server, the Lease, and only then the engine and kopf. A process that
lost the Lease exits at once: whatever it still believed is no longer its business.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Coroutine, Sequence
from typing import Any, TypeVar

import structlog

from presage.adapters.kube import KubeClient, KubeError, connect
from presage.handlers.listener import Listener
from presage.observability.logging import configure_logging
from presage.observability.metrics import Metrics
from presage.reconcile.kind import AnyKind
from presage.runtime.engine import Engine
from presage.runtime.garbage import spare_collections
from presage.runtime.http import Health, HttpServer
from presage.runtime.lease import Lease, LeaseLost
from presage.runtime.settings import Settings, SettingsError, read_settings
from presage.runtime.troubles import Troubles
from presage.runtime.webhook import WebhookServer

log = structlog.get_logger()
T = TypeVar("T")

_RETRY_S = 3.0
_PAUSE_S = 1.0  # before our own lists find out why kopf ended
_SETTLED_S = 15.0  # kopf gives up a refused watch sooner than that
_DRAIN_S = 5.0


class _Stopped(Exception):
    """SIGTERM or SIGINT came while something was awaited."""


def run_operator(kinds: Sequence[AnyKind]) -> int:
    """Run the operator for `kinds` until it is told to stop; return the exit code."""
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        print(f"presage operator: {error}", file=sys.stderr)
        return 2
    configure_logging(settings.log_level)
    spare_collections()
    return asyncio.run(_Process(settings, kinds).run())


class _Process:
    """Holds what lives as long as the process."""

    def __init__(self, settings: Settings, kinds: Sequence[AnyKind]) -> None:
        self._settings = settings
        self._kinds = kinds
        self._metrics = Metrics(
            per_object=settings.object_metrics,
            gauges={k: v for kind in kinds for k, v in kind.gauges.items()},
            gauge_labels={k: v for kind in kinds for k, v in kind.gauge_labels.items()},
        )
        self._phase: str | None = "starting"  # what this replica is still at; None once it works or waits its turn
        self._unconnected: str | None = None
        self._unlisted: str | None = None
        self._deaf: str | None = None
        self._lease: Lease | None = None
        self._engine: Engine | None = None
        self._stop = asyncio.Event()

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        troubles = self._list_troubles()
        health = Health()
        health.add_readiness("phase", lambda: self._phase)
        health.add_readiness("trouble", troubles.find)
        health.add_liveness("engine", lambda: self._engine.find_stuck() if self._engine else None)
        server = HttpServer(health, self._metrics.render, port=self._settings.http_port)
        try:
            await server.start()
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            where = f"PRESAGE_HTTP_PORT={self._settings.http_port}"
            log.error("http.refused", trouble=f"cannot listen on {where}: {why}. Remedy: set another port")
            return 2
        telling = asyncio.ensure_future(troubles.tell())
        try:
            client = await self._unless_stopped(self._connect())
            async with self._answering(client):
                return await self._lead(client)
        except _Stopped:
            return 0
        finally:
            telling.cancel()
            await server.stop()

    def _list_troubles(self) -> Troubles:
        """Return all that can keep this process from its work, the most telling first."""
        return Troubles(
            lambda: self._unconnected,
            lambda: self._lease.trouble if self._lease else None,
            lambda: self._engine.access.trouble if self._engine else None,
            lambda: self._unlisted,
            lambda: self._engine.find_trouble() if self._engine else None,
            lambda: self._deaf,
        )

    async def _connect(self) -> KubeClient:
        """Return a client once the API server answers."""
        while True:
            try:
                client = await connect(
                    strict_certificates=self._settings.strict_certificates,
                    observer=self._metrics.observe_kube_request,
                )
            except KubeError as error:
                self._unconnected = str(error)
            else:
                self._unconnected = None
                return client
            await asyncio.sleep(_RETRY_S)

    @contextlib.asynccontextmanager
    async def _answering(self, client: KubeClient) -> AsyncIterator[None]:
        """Answer admission reviews, whether this replica leads or waits, where the webhook may be used."""
        settings = self._settings
        if not settings.injection_check_seconds or settings.injection_webhook == "Never":
            yield
            return
        answering = asyncio.ensure_future(WebhookServer(client, settings).run())
        answering.add_done_callback(self._mourn)
        try:
            yield
        finally:
            answering.cancel()
            await asyncio.wait([answering])

    def _mourn(self, answering: asyncio.Future[None]) -> None:
        """End the process when the webhook died: a replica that does not answer looks like one that does."""
        if not answering.cancelled() and (error := answering.exception()):
            log.error("operator.died", exc_info=error)
            self._stop.set()

    async def _lead(self, client: KubeClient) -> int:
        settings = self._settings
        lease = self._lease = Lease(
            client,
            namespace=settings.namespace,
            name=settings.lease_name,
            identity=settings.pod_name,
            duration_s=settings.lease_duration_seconds,
            renew_s=settings.lease_renew_seconds,
        )
        acquiring = asyncio.ensure_future(lease.acquire())
        self._metrics.watch_value("presage_leader", lambda: lease.held())
        self._phase = None  # a replica that waits for a Lease held elsewhere is ready, one that is refused it is not
        try:
            await self._unless_stopped(acquiring)
            self._phase = "listing the cluster's objects"
            holding = asyncio.ensure_future(lease.hold())
            log.info("lease.acquired", lease=settings.lease_name)
            return await self._operate(client.fenced(lease.held), holding)
        finally:
            acquiring.cancel()
            await lease.release()
            await client.close()

    async def _operate(self, client: KubeClient, holding: asyncio.Future[None]) -> int:
        """Work until a part ends, the Lease is lost or a signal comes; return the exit code."""
        engine = self._engine = Engine(self._settings, client, self._kinds, self._metrics)
        tasks: set[asyncio.Future[Any]] = {
            holding,
            asyncio.ensure_future(self._work(engine)),
            asyncio.ensure_future(self._stop.wait()),
        }
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return await _wind_up(done, pending, stopping=self._stop.is_set())

    async def _work(self, engine: Engine) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(engine.access.run(lambda: self._unlisted or engine.find_trouble() or self._deaf))
            await self._list_own(engine)
            await engine.start_watches()
            self._phase = None
            group.create_task(engine.run())
            group.create_task(self._follow(engine))

    async def _follow(self, engine: Engine) -> None:
        """Keep kopf listening; whenever it ends, our own lists find out why, and heal what it missed."""
        strict = self._settings.strict_certificates
        listener = Listener(self._kinds, engine.intake, strict_certificates=strict)
        while True:
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(listener.listen())
                await asyncio.wait([listening], timeout=_SETTLED_S)
                if settled := not listening.done():
                    self._deaf = None
            if not settled:  # the end of one that had worked is no trouble yet: what comes of the next one tells
                self._deaf = listening.result()
            await asyncio.sleep(_PAUSE_S)
            if await self._list_own(engine):
                self._deaf = None  # that was why

    async def _list_own(self, engine: Engine) -> bool:
        """List presage's own kinds, as often as it takes; return whether anything stood in the way."""
        while trouble := await engine.own.relist():
            self._unlisted = trouble
            await asyncio.sleep(_RETRY_S)
        met, self._unlisted = self._unlisted is not None, None
        return met

    async def _unless_stopped(self, work: Coroutine[Any, Any, T] | Awaitable[T]) -> T:
        """Await `work`, but give up when the process is told to stop."""
        task, stop = asyncio.ensure_future(work), asyncio.ensure_future(self._stop.wait())
        await asyncio.wait([task, stop], return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not task.done():
            task.cancel()
            raise _Stopped
        return task.result()


async def _wind_up(done: set[asyncio.Future[Any]], pending: set[asyncio.Future[Any]], *, stopping: bool) -> int:
    """End what still runs; return 0 after a signal, 1 if a part died."""
    for task in pending:
        task.cancel()
    if pending:
        await asyncio.wait(pending, timeout=_DRAIN_S)
    for task in done:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, LeaseLost):
            log.error("lease.lost", trouble="another replica may act now; exiting")
        elif error is not None:
            log.error("operator.died", exc_info=error)
    return 0 if stopping else 1
