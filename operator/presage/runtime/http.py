"""Our own HTTP server: probes and metrics, on both replicas, from before the Lease until after it.

A check that raises counts as failed: a probe must answer even while something else is broken.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

Check = Callable[[], str | None]
"""Returns what is wrong, or None."""

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Health:
    """The checks behind `/healthz` (restart me) and `/readyz` (something outside is missing)."""

    def __init__(self) -> None:
        self._liveness: dict[str, Check] = {}
        self._readiness: dict[str, Check] = {}

    def add_liveness(self, name: str, check: Check) -> None:
        """Add a check whose failure only a restart can mend."""
        self._liveness[name] = check

    def add_readiness(self, name: str, check: Check) -> None:
        """Add a check of what the process waits for."""
        self._readiness[name] = check

    def find_dead(self) -> dict[str, str]:
        """Return the failed liveness checks: name → what is wrong."""
        return _run(self._liveness)

    def find_unready(self) -> dict[str, str]:
        """Return all failed checks: name → what is wrong."""
        return _run(self._readiness | self._liveness)


def _run(checks: dict[str, Check]) -> dict[str, str]:
    failed = {}
    for name, check in checks.items():
        try:
            trouble = check()
        except Exception as error:  # noqa: BLE001  # see the module's head
            trouble = f"the check itself failed: {type(error).__name__}"
        if trouble is not None:
            failed[name] = trouble
    return failed


class HttpServer:
    """Serves `/healthz`, `/readyz` and `/metrics`.

    Args:
        health: The checks.
        render_metrics: Returns the text format of Prometheus.
        port: 0 picks a free one.
        host: Address to listen on; pods need all of them.
    """

    def __init__(
        self,
        health: Health,
        render_metrics: Callable[[], Awaitable[bytes]],
        *,
        port: int,
        host: str = "0.0.0.0",  # noqa: S104  # probes and scrapes come from outside the pod
    ) -> None:
        self._health = health
        self._render_metrics = render_metrics
        self._host, self._port = host, port
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: If the port is taken.
        """
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    @property
    def port(self) -> int:
        """The port listened on, once started."""
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close."""
        await self._runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        return _answer(self._health.find_dead())

    async def _readyz(self, _: web.Request) -> web.Response:
        return _answer(self._health.find_unready())

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=await self._render_metrics(), headers={"Content-Type": _METRICS_TYPE})


def _answer(failed: dict[str, str]) -> web.Response:
    return web.json_response({"ok": not failed, "failed": failed}, status=503 if failed else 200)
