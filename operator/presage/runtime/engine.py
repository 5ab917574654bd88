"""The engine: everything that works on objects while this process holds the Lease, put together from its parts."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable

import structlog

from presage.adapters.children import KubeChildren
from presage.adapters.clock import SystemClock
from presage.adapters.forecast_fits import ForecastFits
from presage.adapters.forecast_pool import ForecastPool
from presage.adapters.kube import KubeClient, KubeError
from presage.adapters.pods import KubePods
from presage.adapters.prometheus import PrometheusLoads
from presage.adapters.prometheus_canaries import PrometheusCanaries
from presage.adapters.scaler import KubeScaler
from presage.core.faults import SourceFault
from presage.observability.metrics import Metrics
from presage.reconcile.kind import AnyKind
from presage.reconcile.ports import Ports
from presage.runtime.access import Access
from presage.runtime.deletion import Deletion
from presage.runtime.events import EventWriter
from presage.runtime.injection import InjectionKeeper
from presage.runtime.intake import Intake
from presage.runtime.listing import OwnObjects
from presage.runtime.queue import WorkQueue
from presage.runtime.reconciler import Reconciler
from presage.runtime.rights import list_rights
from presage.runtime.scheduler import Scheduler
from presage.runtime.settings import Settings
from presage.runtime.status import StatusWriter
from presage.runtime.store import ObjectStore
from presage.runtime.turns import PatientCanaries, PatientForecaster, PatientLoads, Turns
from presage.runtime.watches import Watches
from presage.runtime.workers import Workers

log = structlog.get_logger()

_SWEEP_STUCK_S = 60.0
_LIST_PAUSE_S = 10.0  # between two lists, whatever seems to be out of date


class Engine:
    """Owns queue, scheduler, watches, workers and writers.

    Attributes:
        intake: Takes the events of presage's own kinds.
        own: Lists their objects.
        access: Knows which rights are missing, while `access.run` runs.

    Args:
        settings: Of the process.
        client: Fenced client: it writes only while the Lease is held.
        kinds: All kinds.
        metrics: Counts.
    """

    def __init__(self, settings: Settings, client: KubeClient, kinds: Iterable[AnyKind], metrics: Metrics) -> None:
        self._kinds = kinds = tuple(kinds)
        self._settings = settings
        self._client = client
        self._store = store = ObjectStore()
        self._doubtful = asyncio.Event()  # what is known of our own objects seems to be out of date
        self._queue = WorkQueue()
        self._scheduler = Scheduler(self._queue.add)
        self._watches = Watches(client, kinds, store, self._queue.add)
        rights = list_rights(kinds, namespace=settings.namespace, lease=settings.lease_name)
        self.access = Access(client, rights, self._watches.retry_now)
        self.intake = Intake(store, self._queue.add, self._watches.spread)
        self.own = OwnObjects(client, kinds, store, self.intake)
        self._loads = PrometheusLoads(
            self._read_secret, allow_loopback=settings.allow_loopback, observer=metrics.observe_source_request
        )
        self._canaries = PrometheusCanaries(
            self._read_secret, allow_loopback=settings.allow_loopback, observer=metrics.observe_source_request
        )
        fits = ForecastFits(settings.fit_workers, settings.fit_deadline_seconds, metrics.observe_fit)
        self._forecaster = ForecastPool(fits)
        self._events = EventWriter(client, settings.pod_name)
        self._injection = InjectionKeeper(client, settings, metrics)
        self._turns = Turns(settings.workers)
        self._workers = Workers(
            self._build_reconciler(metrics).reconcile,
            self._queue,
            self._scheduler,
            store,
            turns=self._turns,
            resync_s=settings.resync_seconds,
        )
        self._metrics = metrics
        metrics.watch_value("presage_queue_depth", lambda: self._queue.depth)
        metrics.watch_value("presage_queue_age_seconds", lambda: self._queue.age_s)
        metrics.watch_value("presage_seconds_since_sweep", self._sweep_age)
        metrics.watch_value("presage_events_dropped", lambda: self._events.dropped)
        metrics.watch_value("presage_forecast_fits_waiting", lambda: fits.waiting)

    def _build_reconciler(self, metrics: Metrics) -> Reconciler:
        clock, scaler, children = SystemClock(), KubeScaler(self._client), KubeChildren(self._client)
        pods = KubePods(self._client)
        loads = PatientLoads(self._loads, self._turns)
        forecaster = PatientForecaster(self._forecaster, self._turns)
        canaries = PatientCanaries(self._canaries, self._turns)

        profiles = tuple(each.to_core() for each in self._settings.profiles)

        def build_ports(kind: AnyKind) -> Ports:
            seen = self._watches.view(kind)
            return Ports(
                clock,
                self._store,
                seen,
                loads,
                forecaster,
                scaler,
                children,
                pods,
                self._injection,
                canaries,
                profiles,
            )

        return Reconciler(
            [(kind, build_ports(kind)) for kind in self._kinds],
            self._store,
            StatusWriter(self._client, self._settings.status_refresh_seconds, self._doubtful.set),
            Deletion(self._client),
            self._events,
            metrics,
        )

    async def start_watches(self) -> None:
        """Fill the copies of all other types before the first decision: until then, absence would be a lie."""
        await self._watches.start()

    async def run(self) -> None:
        """Work until cancelled, once primed; ends with an exception group if any part dies."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_listing(), name="relist")
                group.create_task(self._scheduler.run(), name="scheduler")
                group.create_task(self._events.run(), name="events")
                group.create_task(self._injection.run(), name="injection")
                group.create_task(self._workers.run(), name="workers")
                group.create_task(self._metrics.sample_loop_lag(), name="loop-lag")
        finally:
            await self._watches.stop()
            await self._loads.close()
            await self._canaries.close()
            await self._forecaster.close()

    async def _keep_listing(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._doubtful.wait(), self._settings.resync_seconds)
            self._doubtful.clear()
            if trouble := await self.own.relist():
                log.warning("relist.failed", trouble=trouble)
            await asyncio.sleep(_LIST_PAUSE_S)

    def find_trouble(self) -> str | None:
        """Return what keeps the watches from following the cluster, or None."""
        return self._watches.find_trouble()

    def find_stuck(self) -> str | None:
        """Return what no longer moves, or None: for the liveness probe."""
        age = self._sweep_age()
        if age > _SWEEP_STUCK_S:
            return f"the last sweep was {age:.0f} s ago"
        return self._watches.find_stuck()

    def _sweep_age(self) -> float:
        last = self._workers.last_sweep
        return 0.0 if last is None else time.monotonic() - last

    async def _read_secret(self, name: str, key: str) -> bytes:
        try:
            return await self._client.secret_value(self._settings.namespace, name, key)
        except KubeError as error:
            message = f"Secret {name} with key {key} cannot be read in presage's own namespace."
            raise SourceFault("SecretMissing", message) from error
