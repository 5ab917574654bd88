"""Probes answer whatever else is broken."""

from __future__ import annotations

import json

import aiohttp
import pytest

from presage.runtime.http import Health, HttpServer


async def ask(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


async def metrics_text() -> bytes:
    return b"presage_up 1\n"


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
    server = HttpServer(health, metrics_text, port=0, host="127.0.0.1")
    await server.start()
    try:
        (live, _), (answer, body) = await ask(server.port, "/healthz"), await ask(server.port, "/readyz")
        metrics = await ask(server.port, "/metrics")
        unknown, _ = await ask(server.port, "/debug")
    finally:
        await server.stop()
    assert (live, answer) == want
    assert "secret" not in body
    assert metrics == (200, "presage_up 1\n")
    assert unknown == 404


async def test_the_answer_names_the_failed_check_and_why() -> None:
    health = Health()
    health.add_readiness("lease", lambda: "the API server refuses the Lease")
    health.add_readiness("operator", lambda: None)
    server = HttpServer(health, metrics_text, port=0, host="127.0.0.1")
    await server.start()
    try:
        _, body = await ask(server.port, "/readyz")
    finally:
        await server.stop()
    assert json.loads(body) == {"ok": False, "failed": {"lease": "the API server refuses the Lease"}}
