"""What is asked of the Prometheus HTTP API, and how its answers become plain data.

Everything here may run long over a large answer, so it runs in a request's thread. A reader never trusts the shape of
an answer: whatever it trips over becomes a `SourceFault` in `guarded`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from prometheus_api_client import PrometheusConnect

from presage.adapters.prometheus_session import QueryFault
from presage.core.faults import SourceFault
from presage.core.history import SlotRange, to_grid
from presage.core.source_reading import Source, TickSample

T = TypeVar("T")

_SPARE_SAMPLES = 10  # some servers align a range to their own grid and answer a little more than was asked


def guarded(source: Source, read: Callable[[PrometheusConnect], T], prometheus: PrometheusConnect) -> T:
    """Return what `read` makes of the answer.

    Raises:
        SourceFault: The only error that leaves, whatever shape a hostile answer has.
    """
    try:
        return read(prometheus)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        raise SourceFault(
            "BadAnswer", f"MetricSource {source.name}: its answer is no Prometheus API answer: check spec.url."
        ) from None


def read_health(prometheus: PrometheusConnect) -> None:
    """Ask a trivial query."""
    prometheus.custom_query("vector(1)")


def read_version(prometheus: PrometheusConnect) -> str:
    """Return the server's version."""
    answer = prometheus._session.request("GET", f"{prometheus.url}/api/v1/status/buildinfo").json()
    return str(answer["data"]["version"])[:64]


def read_tick(source: Source, query: str, prometheus: PrometheusConnect) -> TickSample:
    """Return the answer to a tick query (`core.query.build_tick_query`)."""
    result = _limit_series(source, prometheus.custom_query(query))
    values = {entry["metric"].get("presage", ""): float(entry["value"][1]) for entry in result}
    load, newest = values.get("load"), values.get("newest")
    return TickSample(
        load=load if load is not None and math.isfinite(load) and load >= 0 else None,
        newest_at=newest if newest is not None and math.isfinite(newest) else None,
        targets=frozenset(name for entry in result for name in _name_target(entry["metric"])),
    )


def read_range(source: Source, query: str, part: SlotRange, prometheus: PrometheusConnect) -> NDArray[np.float32]:
    """Return the slots of `part`, NaN where the answer has none; the queries sum, so there is one series or none."""
    start, end = (datetime.fromtimestamp(t, UTC) for t in (part.query_start, part.query_end))
    result = _limit_series(source, prometheus.custom_query_range(query, start, end, str(part.step_s)))
    samples = [sample for entry in result[:1] for sample in entry["values"]]
    if len(samples) > len(part) + _SPARE_SAMPLES:
        raise ValueError("more samples than were asked for")
    return to_grid(((float(t), float(v)) for t, v in samples), part)


def _limit_series(source: Source, result: Any) -> Any:
    if len(result) > source.spec.limits.max_series:
        raise QueryFault("TooLarge", f"MetricSource {source.name}: more than {source.spec.limits.max_series} series.")
    return result


def _name_target(labels: Any) -> Iterator[str]:
    """Yield the names by which a pod can know itself among the instances: its own, and its address without the port."""
    if labels.get("presage") != "target":
        return
    if pod := labels.get("pod"):
        yield pod
    if instance := labels.get("instance"):
        yield instance.rsplit(":", 1)[0].strip("[]")
