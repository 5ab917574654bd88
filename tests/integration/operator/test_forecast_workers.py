"""Workers of a running operator are killed and frozen while it decides: decisions go on, full forecasts come back."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client

from e2e.cluster import Cluster
from presage.adapters.forecast_fits import PROGRAM
from tests.integration.operator.harness import Exporter, Operator, Shop, eventually
from tests.integration.operator.surroundings import new_operator, new_source
from tests.processes import children, status_of

DEADLINE_S = 3


@pytest.fixture(scope="module")
def exporter() -> Iterator[Exporter]:
    started = Exporter()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def source(
    api: client.ApiClient, exporter: Exporter, crds: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with new_source(api, tmp_path_factory.mktemp("prometheus"), exporter.port) as name:
        yield name


@pytest.fixture
def operator(api: client.ApiClient, cluster: Cluster, crds: None, tmp_path: Path) -> Iterator[Operator]:
    with new_operator(api, cluster, tmp_path, PRESAGE_FIT_DEADLINE_SECONDS=str(DEADLINE_S)) as started:
        yield started


@pytest.fixture
def shop(api: client.ApiClient, namespace: str, source: str, operator: Operator, exporter: Exporter) -> Shop:
    """A target whose forecast is fitted each second, in the full tier."""
    made = Shop(api, namespace, source)
    exporter.rate = 100
    made.create_target()
    made.create_profile()
    eventually(made.replicas, lambda n: n >= 11, 30, "replicas rise")
    eventually(lambda: in_force(operator, "full"), bool, 30, "a full forecast is in force")
    return made


def count(operator: Operator, series: str) -> float:
    """Return a counter's sum over its labels that match the expression."""
    found = re.findall(rf"^{series} (\S+)$", operator.get("/metrics")[1], re.MULTILINE)
    return sum(map(float, found))


def fits(operator: Operator, outcome: str) -> float:
    return count(operator, rf'presage_forecast_fit_duration_seconds_count{{outcome="{outcome}"}}')


def in_force(operator: Operator, tier: str) -> bool:
    return count(operator, rf'presage_forecast_tier\{{[^}}]*tier="{tier}"\}}') == 1


def decisions(operator: Operator) -> float:
    return count(operator, r"presage_decisions_total\{[^}]*\}")


def workers(operator: int) -> set[int]:
    """Return the worker processes of an operator."""
    found = set()
    for child in children(operator):
        with contextlib.suppress(OSError):
            if PROGRAM[-1].encode() in Path(f"/proc/{child}/cmdline").read_bytes():
                found.add(child)
    return found


@contextlib.contextmanager
def killing_workers(operator: int) -> Iterator[None]:
    """Kill every worker of an operator as soon as it is seen, for the time of the block."""
    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.05):
            for worker in workers(operator):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()


def goes_on(operator: Operator, shop: Shop, exporter: Exporter, rate: float, replicas: int) -> None:
    """See that the operator follows a load that rises."""
    before = decisions(operator)
    exporter.rate = rate
    eventually(shop.replicas, lambda n: n >= replicas, 20, "replicas follow the load")
    eventually(lambda: decisions(operator), lambda n: n >= before + 3, 10, "decisions go on")


def comes_back(operator: Operator) -> None:
    before = fits(operator, "Done")
    eventually(lambda: fits(operator, "Done"), lambda n: n >= before + 3, 20, "fits are done again")
    eventually(lambda: in_force(operator, "full"), bool, 10, "the full forecast comes back")
    assert operator.runs
    assert not [line for line in operator.lines() if "exception" in line]


def test_killed_workers_cost_fits_and_nothing_else(operator: Operator, shop: Shop, exporter: Exporter) -> None:
    with killing_workers(operator.pid):
        eventually(lambda: fits(operator, "Died"), lambda n: n >= 3, 20, "fits are lost")
        goes_on(operator, shop, exporter, 150, 16)
        assert shop.condition("DataAvailable")[0] == "True"
        status = shop.profile()["status"]
        assert status["forecast"]["next"], "there is a forecast all the time"
        eventually(lambda: in_force(operator, "batch"), bool, 20, "it is the batch tier's")
    comes_back(operator)
    told = [line for line in operator.lines() if line["event"] == "forecast.fit_failed"]
    assert told
    assert {(line["level"], line["name"], line["outcome"]) for line in told} == {("warning", "shop", "Died")}


def test_a_frozen_worker_is_replaced_after_its_deadline(operator: Operator, shop: Shop, exporter: Exporter) -> None:
    frozen = next(iter(eventually(lambda: workers(operator.pid), bool, 10, "a worker runs")))
    os.kill(frozen, signal.SIGSTOP)
    goes_on(operator, shop, exporter, 150, 16)
    eventually(lambda: fits(operator, "Late"), bool, DEADLINE_S + 10, "the fit is given up")
    eventually(lambda: status_of(frozen), lambda status: not status, 5, "the worker is ended")
    comes_back(operator)


@pytest.mark.parametrize("crash", [False, True])
def test_no_worker_outlives_the_operator(operator: Operator, shop: Shop, crash: bool) -> None:
    left = eventually(lambda: workers(operator.pid), bool, 10, "a worker runs")
    if crash:
        operator.kill()
    else:
        assert operator.stop() == 0
    eventually(lambda: [pid for pid in left if status_of(pid)], lambda alive: not alive, 5, "its workers end too")
    operator.start()
    eventually(lambda: in_force(operator, "full"), bool, 40, "the full forecast comes back after a restart")
