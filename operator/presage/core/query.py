"""PromQL built from parsed parts. Nothing a tenant writes is ever pasted into a query.

Metric and label names are checked against their grammar, label values are quoted here, and the tenant matcher of a
MetricSource stands in every selector: a matcher of the tenant's own on the same label can only narrow, never widen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
OPERATORS = ("=", "!=", "=~", "!~")
PART_LABEL = "presage"  # tells the parts of a tick answer apart
TARGET_LABELS = ("instance", "pod")  # name a scraped instance
_REGEX_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


@dataclass(frozen=True, slots=True)
class Matcher:
    """One label matcher; `op` is one of `=`, `!=`, `=~`, `!~`."""

    label: str
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class CounterLoad:
    """A load counted by a Prometheus counter; its rate per second is taken over `window_s` seconds."""

    metric: str
    matchers: tuple[Matcher, ...]
    window_s: float


@dataclass(frozen=True, slots=True)
class GaugeLoad:
    """A load that a gauge states directly."""

    metric: str
    matchers: tuple[Matcher, ...]


@dataclass(frozen=True, slots=True)
class InstanceCount:
    """How many scraped instances have the metric: no load, but read like one."""

    metric: str
    matchers: tuple[Matcher, ...]


@dataclass(frozen=True, slots=True)
class InstanceValues:
    """What a gauge says on each scraped instance: no load, but read like one; the load is the count of instances."""

    metric: str
    matchers: tuple[Matcher, ...]


Load = CounterLoad | GaugeLoad | InstanceCount | InstanceValues


@dataclass(frozen=True, slots=True)
class Selection:
    """The series an asker may see of a load: `load`, with the matcher `tenant` forced on it when there is one."""

    load: Load
    tenant: Matcher | None = None


def quote(value: str) -> str:
    """Return `value` as a PromQL string literal; control characters are escaped by code point."""
    named = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}
    escaped = "".join(named.get(c) or (f"\\x{ord(c):02x}" if ord(c) < 32 else c) for c in value)
    return f'"{escaped}"'


def escape_regex(value: str) -> str:
    """Return the regular expression (RE2) that matches `value` and nothing else."""
    return _REGEX_SPECIAL.sub(r"\\\g<0>", value)


def build_selector(selection: Selection) -> str:
    """Return the instant selector of a selection, its tenant matcher included.

    Raises:
        ValueError: If a name or an operator breaks PromQL's grammar.
    """
    load, tenant = selection.load, selection.tenant
    if not METRIC_NAME.fullmatch(load.metric):
        raise ValueError(f"metric {load.metric!r} is no Prometheus metric name")
    matchers = load.matchers + ((tenant,) if tenant else ())
    return f"{load.metric}{{{','.join(_build_matcher(m) for m in matchers)}}}"


def _build_matcher(matcher: Matcher) -> str:
    if not LABEL_NAME.fullmatch(matcher.label):
        raise ValueError(f"label {matcher.label!r} is no Prometheus label name")
    if matcher.op not in OPERATORS:
        raise ValueError(f"operator {matcher.op!r} is none of {', '.join(OPERATORS)}")
    return f"{matcher.label}{matcher.op}{quote(matcher.value)}"


def _seconds(value: float) -> str:
    return f"{round(value * 1000)}ms"


def build_history_query(selection: Selection, step_s: float, label: str | None = None) -> str:
    """Return the query whose value at a slot's end is the mean load over that slot, for each value of `label` if given.

    A counter's window is never shorter than the one the user gave: under four scrape intervals `rate` has holes.
    Instances are those there at the slot's end: within a window, those that went would count beside those that came.
    """
    selector, load = build_selector(selection), selection.load
    if isinstance(load, InstanceCount | InstanceValues):
        return _build_count(selector, label)
    if isinstance(load, CounterLoad):
        return f"sum{_by(label)}(rate({selector}[{_seconds(max(step_s, load.window_s))}]))"
    return f"sum{_by(label)}(avg_over_time({selector}[{_seconds(step_s)}]))"


def build_tick_query(selection: Selection, max_age_s: float, label: str | None = None) -> str:
    """Return one query for all a decision tick asks, at one evaluation time, for each value of `label` if given.

    The result's samples are told apart by the label `presage`: `load` (the load now), `newest` (time of the newest raw
    sample, since `rate` hides a sample's age) and a `target` for each scraped instance with a sample no older than
    `max_age_s` seconds, since `sum` falls silently when half the scrapes fail, and a rate only as its window empties.
    Of `InstanceValues` a target has its value; where an instance has several series, the lowest.
    """
    selector, load = build_selector(selection), selection.load
    value = f"rate({selector}[{_seconds(load.window_s)}])" if isinstance(load, CounterLoad) else selector
    counted = isinstance(load, InstanceCount | InstanceValues)
    total = _build_count(selector, label) if counted else f"sum{_by(label)}({value})"
    fresh, by = f"timestamp({selector}) > time() - {max_age_s:g}", _by(label, *TARGET_LABELS)
    parts = {
        "load": total,
        "newest": f"max{_by(label)}(timestamp({selector}))",
        "target": f"min{by}({selector} and ({fresh}))" if isinstance(load, InstanceValues) else f"group{by}({fresh})",
    }
    return " or ".join(f'label_replace({part},"{PART_LABEL}","{name}","","")' for name, part in parts.items())


def build_values_query(selection: Selection, label: str, most: int) -> str:
    """Return the query for the load now of each value of a label, `most` of them with the largest loads.

    Series without the label have no value. The tenant matcher stands here as in every query.
    """
    there = replace(selection.load, matchers=(*selection.load.matchers, Matcher(label, "!=", "")))
    selector, load = build_selector(replace(selection, load=there)), selection.load
    value = f"rate({selector}[{_seconds(load.window_s)}])" if isinstance(load, CounterLoad) else selector
    return f"topk({most}, sum{_by(label)}({value}))"


def _build_count(selector: str, label: str | None) -> str:
    return f"count{_by(label)}(group{_by(label, *TARGET_LABELS)}({selector}))"


def _by(*labels: str | None) -> str:
    names = dict.fromkeys(label for label in labels if label is not None)
    return f" by ({', '.join(names)}) " if names else ""
