"""What is measured, and how."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from e2e.bench.load import count_requests
from e2e.bench.objects import Objects
from e2e.bench.operator import Operator, Scrape
from e2e.bench.report import Figure, quantile
from e2e.waiting import eventually

TICK_S = 15.0  # the decision period of MetricProfiles that set none
REFRESH_S = 600.0  # the operator's default: volatile status alone is written no more often
FIRST_DECISION_S, EDIT_P50_S, EDIT_P99_S = 15.0, 0.5, 2.0
WRITES_PER_HOUR = 6.0
_CALLS = "presage_kube_requests_total"
_LAG = "presage_event_loop_lag_seconds"
_READS = ("get", "list", "watch")
_QUESTIONS = ("leases", "selfsubjectaccessreviews")  # the process's own, whatever the objects


def figures_of_start(operator: Operator, objects: int) -> Iterator[Figure]:
    """Return the time from the Lease to the last object's first decision, and how the event loop fared."""
    active = operator.wait_until_active()
    eventually(
        lambda: operator.scrape().count("presage_desired_replicas"),
        lambda decided: decided >= objects,
        120,
        "every object is decided on",
        each_s=0.1,
    )
    took, growth = time.time() - active, operator.scrape()
    cpu = growth.total("process_cpu_seconds_total")
    note = f"of the last object; {cpu:.1f} s of CPU since the process began"
    yield Figure("active to first decision", objects, took, "s", FIRST_DECISION_S, note)
    if objects > 1:
        yield _judge_lag(growth, objects, "from the start to the last first decision")


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


def figures_of_idle(idle: Idle, objects: int, memory: float | None) -> Iterator[Figure]:
    """Return what an idle object costs."""
    minutes = objects * idle.seconds / 60
    writes = _count_writes(idle.growth) * 60 / minutes
    yield Figure(
        "idle writes per object and hour", objects, max(writes, 3600 / REFRESH_S), "", WRITES_PER_HOUR,
        f"{writes:.3g} counted in {idle.seconds:.0f} s; one refresh in {REFRESH_S:.0f} s at most",
    )  # fmt: skip
    calls = _count_calls(idle.growth)
    lease = idle.growth.total(_CALLS, resource="leases")
    yield Figure(
        "API server requests per object and minute", objects, calls / minutes, "",
        note=f"{_name_calls(idle.growth)}; and the Lease's {lease * 60 / idle.seconds:.0f} a minute",
    )  # fmt: skip
    alone = 60 / TICK_S
    yield Figure(
        "Prometheus queries per object and minute", objects, idle.queries / minutes, "",
        note=f"by Prometheus's own count; a tick query for each alone would be {alone:g}",
    )  # fmt: skip
    yield Figure(
        "operator memory",
        objects,
        idle.memory / 2**20,
        "MiB",
        memory,
        "resident, largest seen; asked: what the chart requests",
    )
    yield _judge_lag(idle.growth, objects, "idle")
    cpu = idle.growth.total("process_cpu_seconds_total")
    yield Figure("operator CPU", objects, 1000 * cpu / idle.seconds, "mcores", note="idle")


def figures_of_edits(operator: Operator, objects: Objects, edits: int) -> Iterator[Figure]:
    """Return how fast status follows a changed spec."""
    before = operator.scrape()
    took = objects.time_edits(edits)
    note = f"{edits} edits, one after another"
    yield Figure("spec edit to status p50", objects.count, quantile(took, 0.5), "s", EDIT_P50_S, note)
    yield Figure("spec edit to status p99", objects.count, quantile(took, 0.99), "s", EDIT_P99_S, note)
    if objects.count > 1:  # else it is over before there are samples to speak of
        yield _judge_lag(operator.scrape().since(before), objects.count, "during the edits")


def _judge_lag(growth: Scrape, objects: int, when: str) -> Figure:
    lag, samples = growth.quantile(_LAG, 0.99), growth.total(f"{_LAG}_count")
    return Figure("event loop lag p99", objects, 1000 * lag, "ms", note=f"{when}; {samples:.0f} samples")


def _count_calls(growth: Scrape) -> float:
    """Return requests to the API server but for those of the Lease."""
    return growth.total(_CALLS) - growth.total(_CALLS, resource="leases")


def _count_writes(growth: Scrape) -> float:
    """Return writes of whatever kind: all requests that neither read nor ask about the process itself."""
    calls = ((dict(labels), value) for (name, labels), value in growth.values.items() if name == _CALLS)
    return sum(n for own, n in calls if own["verb"] not in _READS and own["resource"] not in _QUESTIONS)


def _name_calls(growth: Scrape) -> str:
    """Return what was asked of the API server most, but for the Lease."""
    counts = {}
    for (name, labels), value in growth.values.items():
        own = dict(labels)
        if name == _CALLS and value > 0 and own["resource"] != "leases":
            counts[f"{own['verb']} {own['resource']}"] = value
    most = sorted(counts.items(), key=lambda each: -each[1])[:3]
    return ", ".join(f"{what} {count:.0f}" for what, count in most) or "none at all"
