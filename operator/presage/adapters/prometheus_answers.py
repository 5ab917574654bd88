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
from presage.core.query import (
    PART_LABEL,
    InstanceValues,
    Selection,
    build_history_query,
    build_tick_query,
    build_values_query,
)
from presage.core.sharing import SharedQuery
from presage.core.source_reading import Flaw, LabelValues, Source, TickSample, find_flaw

T = TypeVar("T")

NO_SAMPLE = TickSample(None, None, frozenset())
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


def read_is_gauge(metric: str, prometheus: PrometheusConnect) -> bool:
    """Return whether all the source knows of a metric calls it a gauge; False if it knows nothing."""
    try:
        answer = prometheus._session.request("GET", f"{prometheus.url}/api/v1/metadata", params={"metric": metric})
        known = answer.json()["data"].get(metric) or []
        return bool(known) and all(each["type"] == "gauge" for each in known)
    except (SourceFault, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False  # not every compatible server keeps metadata


def read_tick(
    source: Source, shared: SharedQuery, max_age_s: float, prometheus: PrometheusConnect
) -> dict[Selection, TickSample]:
    """Return each asker's answer to the tick query."""
    query = build_tick_query(shared.asked, max_age_s, shared.label)
    result = _limit_series(source, prometheus.custom_query(query))
    valued = isinstance(shared.asked.load, InstanceValues)
    groups = _group(result, shared.label).items()
    by_value = {value: _make_sample(entries, valued=valued) for value, entries in groups}
    return shared.share_out(by_value, NO_SAMPLE)


def read_range(
    source: Source, shared: SharedQuery, part: SlotRange, prometheus: PrometheusConnect
) -> dict[Selection, NDArray[np.float32]]:
    """Return each asker's slots of `part`, NaN where the answer has none; a query sums: one series each at most."""
    query = build_history_query(shared.asked, part.step_s, shared.label)
    start, end = (datetime.fromtimestamp(t, UTC) for t in (part.query_start, part.query_end))
    result = _limit_series(source, prometheus.custom_query_range(query, start, end, str(part.step_s)))
    by_value = {value: _make_grid(entries[0], part) for value, entries in _group(result, shared.label).items()}
    return shared.share_out(by_value, to_grid((), part))


def read_values(source: Source, asker: Selection, label: str, most: int, prometheus: PrometheusConnect) -> LabelValues:
    """Return the values of a label with the largest loads; a load that is no number counts as none here."""
    asked = min(most, source.spec.limits.max_series)
    result = _limit_series(source, prometheus.custom_query(build_values_query(asker, label, asked)))
    found = {str(entry["metric"][label]): float(entry["value"][1]) for entry in result}
    return LabelValues({value: load if math.isfinite(load) else 0.0 for value, load in found.items()})


def _group(result: Any, label: str | None) -> dict[str, list[Any]]:
    """Return the entries of an answer by their value of `label`, all under the empty string if it is None."""
    groups: dict[str, list[Any]] = {}
    for entry in result:
        groups.setdefault(entry["metric"].get(label, "") if label else "", []).append(entry)
    return groups


def _make_sample(entries: list[Any], *, valued: bool) -> TickSample:
    named = [entry for entry in entries if entry["metric"].get(PART_LABEL) != "target"]
    values = {entry["metric"].get(PART_LABEL, ""): float(entry["value"][1]) for entry in named}
    if len(values) < len(named):
        raise ValueError("one value twice")
    load, newest = values.get("load"), values.get("newest")
    flaw: Flaw = find_flaw(load) if load is not None else ""
    return TickSample(
        load=None if flaw else load,
        newest_at=newest if newest is not None and math.isfinite(newest) else None,
        targets=frozenset(name for entry in entries for name in _name_target(entry["metric"])),
        flaw=flaw,
        values=_find_values(entries) if valued else {},
    )


def _find_values(entries: list[Any]) -> dict[str, float]:
    """Return each target's value by its names; of two targets of one name the lower one's."""
    found: dict[str, float] = {}
    for entry in entries:
        for name in _name_target(entry["metric"]):
            value = float(entry["value"][1])
            if math.isfinite(value):
                found[name] = min(value, found.get(name, value))
    return found


def _make_grid(entry: Any, part: SlotRange) -> NDArray[np.float32]:
    samples = entry["values"]
    if len(samples) > len(part) + _SPARE_SAMPLES:
        raise ValueError("more samples than were asked for")
    return to_grid(((float(t), float(v)) for t, v in samples), part)


def _limit_series(source: Source, result: Any) -> Any:
    if len(result) > source.spec.limits.max_series:
        raise QueryFault(
            "TooLarge",
            f"MetricSource {source.name}: more than {source.spec.limits.max_series} series: "
            "narrow the matchers or raise spec.limits.maxSeries.",
        )
    return result


def _name_target(labels: Any) -> Iterator[str]:
    """Yield the names by which a pod can know itself among the instances: its own, and its address without the port."""
    if labels.get(PART_LABEL) != "target":
        return
    if pod := labels.get("pod"):
        yield pod
    if instance := labels.get("instance"):
        yield instance.rsplit(":", 1)[0].strip("[]")
