"""What is measured, and how."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from e2e.bench.load import count_requests
from e2e.bench.objects import Objects
from e2e.bench.operator import Operator, Scrape
from e2e.bench.processes import wait_for
from e2e.bench.report import Figure, quantile

TICK_S = 15.0  # the decision period of MetricProfiles that set none
REFRESH_S = 600.0  # the operator's default: volatile status alone is written no more often
FIRST_DECISION_S, EDIT_P50_S, EDIT_P99_S = 15.0, 0.5, 2.0
WRITES_PER_HOUR = 6.0
_WRITES = ("PATCH", "PUT", "POST", "DELETE")


def time_first_decisions(operator: Operator, objects: int) -> Figure:
    """Return the time from the Lease to the last object's first decision."""
    active = operator.wait_until_active()
    wait_for(
        lambda: operator.scrape().count("presage_desired_replicas") >= objects, 120, "every object is decided on", 0.1
    )
    return Figure(
        "active to first decision", objects, time.time() - active, "s", FIRST_DECISION_S, "of the last object"
    )


@dataclass(frozen=True)
class Idle:
    """A time in which nothing changed: the operator's and Prometheus's counts, and the largest memory seen."""

    seconds: float
    growth: Scrape
    queries: float
    memory: float


def watch_idle(operator: Operator, prometheus: str, seconds: float) -> Idle:
    """Leave the operator alone for some time."""
    before, asked, began, memory = operator.scrape(), count_requests(prometheus), time.monotonic(), 0.0
    while time.monotonic() - began < seconds:
        time.sleep(2)
        memory = max(memory, operator.scrape().total("process_resident_memory_bytes"))
    elapsed = time.monotonic() - began
    return Idle(elapsed, operator.scrape().since(before), count_requests(prometheus) - asked, memory)


def figures_of_idle(idle: Idle, objects: int, memory_limit: float | None) -> Iterator[Figure]:
    """Return what an idle object costs."""
    minutes = objects * idle.seconds / 60
    writes = sum(_count_calls(idle.growth, verb) for verb in _WRITES) * 60 / minutes
    yield Figure(
        "idle writes per object and hour", objects, max(writes, 3600 / REFRESH_S), "", WRITES_PER_HOUR,
        f"{writes:.3g} counted in {idle.seconds:.0f} s; one refresh in {REFRESH_S:.0f} s at most",
    )  # fmt: skip
    calls = _count_calls(idle.growth)
    lease = idle.growth.total("presage_kube_requests_total", resource="leases")
    yield Figure(
        "API server requests per object and minute", objects, calls / minutes, "",
        note=f"and the Lease's {lease * 60 / idle.seconds:.0f} a minute",
    )  # fmt: skip
    alone = 60 / TICK_S
    yield Figure(
        "Prometheus queries per object and minute", objects, idle.queries / minutes, "",
        note=f"by Prometheus's own count; a tick query for each alone would be {alone:g}",
    )  # fmt: skip
    yield Figure("operator memory", objects, idle.memory / 2**20, "MiB", memory_limit, "resident, largest seen")
    lag = idle.growth.quantile("presage_event_loop_lag_seconds", 0.99)
    yield Figure("event loop lag p99", objects, 1000 * lag, "ms", note="idle, a sample each 0.25 s")
    cpu = idle.growth.total("process_cpu_seconds_total")
    yield Figure("operator CPU", objects, 1000 * cpu / idle.seconds, "mcores", note="idle")


def figures_of_edits(operator: Operator, objects: Objects, edits: int) -> Iterator[Figure]:
    """Return how fast status follows a changed spec."""
    before = operator.scrape()
    took = objects.time_edits(edits)
    note = f"{edits} edits, one after another"
    yield Figure("spec edit to status p50", objects.count, quantile(took, 0.5), "s", EDIT_P50_S, note)
    yield Figure("spec edit to status p99", objects.count, quantile(took, 0.99), "s", EDIT_P99_S, note)
    lag = operator.scrape().since(before).quantile("presage_event_loop_lag_seconds", 0.99)
    yield Figure("event loop lag p99", objects.count, 1000 * lag, "ms", note="during the edits")


def _count_calls(growth: Scrape, verb: str | None = None) -> float:
    """Return requests to the API server but for those of the Lease."""
    labels = {"verb": verb} if verb else {}
    total = growth.total("presage_kube_requests_total", **labels)
    return total - growth.total("presage_kube_requests_total", resource="leases", **labels)
