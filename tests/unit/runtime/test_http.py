"""Probes answer whatever else is broken."""

from __future__ import annotations

import aiohttp
import pytest

from presage.runtime.http import Health, HttpServer


async def ask(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


def _fail() -> str | None:
    raise RuntimeError("secret detail")


@pytest.mark.parametrize(
    ("alive", "ready", "want"),
    [
        pytest.param(lambda: None, lambda: None, (200, 200), id="all well"),
        pytest.param(lambda: None, lambda: "no Lease", (200, 503), id="waiting is no reason to restart"),
        pytest.param(lambda: "stuck", lambda: None, (503, 503), id="a stuck process is not ready either"),
        pytest.param(_fail, lambda: None, (503, 503), id="a check that raises has failed"),
    ],
)
async def test_probes(alive: object, ready: object, want: tuple[int, int]) -> None:
    health = Health()
    health.add_liveness("engine", alive)  # type: ignore[arg-type]  # lambdas in a table lose their type
    health.add_readiness("lease", ready)  # type: ignore[arg-type]  # lambdas in a table lose their type
    server = HttpServer(health, lambda: b"presage_up 1\n", port=0, host="127.0.0.1")
    await server.start()
    try:
        (live, _), (answer, body) = await ask(server.port, "/healthz"), await ask(server.port, "/readyz")
        metrics = await ask(server.port, "/metrics")
    finally:
        await server.stop()
    assert (live, answer) == want
    assert "secret" not in body
    assert metrics == (200, "presage_up 1\n")
