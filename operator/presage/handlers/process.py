"""The operator process: HTTP server, API server, Lease, then engine and kopf; and the way out."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any, TypeVar

import kopf
import structlog

from presage.adapters.kube import KubeClient, KubeError, NotFound, connect
from presage.handlers.registry import build_registry
from presage.handlers.settings import build_settings
from presage.observability.logging import configure_logging
from presage.observability.metrics import Metrics
from presage.reconcile.kind import AnyKind
from presage.runtime.engine import Engine
from presage.runtime.http import Health, HttpServer
from presage.runtime.lease import Lease, LeaseLost
from presage.runtime.settings import Settings, SettingsError, read_settings

log = structlog.get_logger()
T = TypeVar("T")

_RETRY_S = 5.0
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
    return asyncio.run(_Process(settings, kinds).run())


class _Process:
    """Holds what lives as long as the process."""

    def __init__(self, settings: Settings, kinds: Sequence[AnyKind]) -> None:
        self._settings = settings
        self._kinds = kinds
        self._metrics = Metrics(per_object=settings.object_metrics)
        self._trouble: str | None = "starting"  # why this replica is not ready; None once it is
        self._engine: Engine | None = None
        self._stop = asyncio.Event()

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        health = Health()
        health.add_readiness("operator", lambda: self._trouble)
        health.add_readiness("watches", lambda: self._engine.find_trouble() if self._engine else None)
        health.add_liveness("engine", lambda: self._engine.find_stuck() if self._engine else None)
        server = HttpServer(health, self._metrics.render, port=self._settings.http_port)
        await server.start()
        try:
            client = await self._unless_stopped(self._connect())
            return await self._lead(client)
        except _Stopped:
            return 0
        finally:
            await server.stop()

    async def _connect(self) -> KubeClient:
        """Return a client once the API server answers; until then say why it does not."""
        while True:
            try:
                return await connect(
                    strict_certificates=self._settings.strict_certificates,
                    observer=self._metrics.observe_kube_request,
                )
            except KubeError as error:
                self._report("kube.unreachable", str(error))
            await asyncio.sleep(_RETRY_S)

    async def _lead(self, client: KubeClient) -> int:
        settings = self._settings
        lease = Lease(
            client,
            namespace=settings.namespace,
            name=settings.lease_name,
            identity=settings.pod_name,
            duration_s=settings.lease_duration_seconds,
            renew_s=settings.lease_renew_seconds,
        )
        acquiring = asyncio.ensure_future(lease.acquire())
        self._metrics.watch_value("presage_leader", "1 while this process holds the Lease.", lambda: lease.held())
        try:
            while not acquiring.done():  # a replica waiting for a Lease held elsewhere is ready, a refused one is not
                self._trouble = lease.refusal
                await self._unless_stopped(asyncio.wait([acquiring], timeout=1))
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
        self._trouble = "listing the cluster's objects"
        await self._prime(engine)
        self._trouble = None
        async with asyncio.TaskGroup() as group:
            group.create_task(engine.run())
            group.create_task(self._run_kopf(engine))

    async def _run_kopf(self, engine: Engine) -> None:
        """Run kopf; it takes SIGTERM and SIGINT over, so its end is the process's."""
        await kopf.operator(
            registry=build_registry(self._kinds, engine.intake, strict_certificates=self._settings.strict_certificates),
            settings=build_settings(),
            standalone=True,
            clusterwide=True,
            stop_flag=self._stop,
        )
        self._stop.set()

    async def _prime(self, engine: Engine) -> None:
        while True:
            try:
                return await engine.prime()
            except NotFound:
                self._report("crds.absent", "presage's CRDs are not installed: kubectl apply -f crds/")
            except KubeError as error:
                self._report("prime.failed", f"presage's own objects cannot be listed: {error}")
            await asyncio.sleep(_RETRY_S)

    def _report(self, event: str, trouble: str) -> None:
        """Log a new trouble once, and show it on /readyz."""
        if trouble != self._trouble:
            log.error(event, trouble=trouble)
        self._trouble = trouble

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
