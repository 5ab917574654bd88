"""The cases of bad input: what is wrong, and what is then said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.integration.operator import altering
from tests.integration.operator.altering import Alter, on, on_tick, set_body, set_load, set_part, set_status
from tests.integration.operator.harness import Exporter

NESTED = b'{"status":"success","data":{"result":' + b"[" * 100_000
LONG = "x" * 253


@dataclass(frozen=True)
class Case:
    """One fault.

    Attributes:
        want: Status and reason of the condition while it is broken.
        says: Regular expression in its message.
        condition: Of the MetricProfile.
        alter: How answers are altered; None where the objects themselves are wrong from the beginning.
        source: Reason of the MetricSource's `Reachable` meanwhile; empty where it stays well.
        wrong: Changes to the MetricProfile's spec while it is wrong.
        own: Changes to the MetricProfile's spec that stay.
        without: `source` or `target`: is not there while it is wrong.
    """

    want: str
    says: str
    condition: str = "DataAvailable"
    alter: Alter | None = None
    source: str = ""
    wrong: dict[str, Any] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)
    without: str = ""


def load(given: dict[str, Any]) -> dict[str, Any]:
    return {"eventTypes": [{"name": "order", "load": given}]}


def counter(**more: Any) -> dict[str, Any]:
    return {"counter": {"metric": "orders_total", "windowSeconds": 4, **more}}


NO_ANSWER = "its answer is no Prometheus API answer: check spec.url"
CASES: dict[str, Case] = {
    "unknown-source": Case("SourceNotFound", "create it or correct spec.sourceRef.name", without="source"),
    "unknown-target": Case("TargetNotFound", "There is no Deployment .* create it", "TargetFound", without="target"),
    "no-matching-series": Case(
        "NoMatchingSeries",
        "check metric and matchers",
        wrong=load(counter(matchers=[{"label": "route", "value": LONG}])),
    ),
    "gauge-for-counter": Case(
        "NotACounter", "is a gauge, .* give it as load.gauge", wrong=load(counter(metric="queue_length"))
    ),
    "negative-gauge": Case("BadValue", "is negative", wrong=load({"gauge": {"metric": "below_zero"}})),
    "nan-gauge": Case("BadValue", "is not a number", wrong=load({"gauge": {"metric": "broken"}})),
    "infinite-gauge": Case("BadValue", "is beyond all measure", wrong=load({"gauge": {"metric": "endless"}})),
    "1e308-gauge": Case("BadValue", "is beyond all measure", wrong=load({"gauge": {"metric": "huge"}})),
    "stale-marker": Case("NoMatchingSeries", "that it is scraped", own=load(counter(metric="vanishing_total"))),
    "future": Case("FutureSamples", "set the clocks", alter=set_part("newest", lambda at: str(at + 3600))),
    "past": Case("StaleSamples", "still scraped", alter=set_part("newest", lambda at: str(at - 3600))),
    "nan": Case("BadValue", "is not a number, .* see the metric", alter=set_load("NaN")),
    "negative": Case("BadValue", "is negative", alter=set_load("-5")),
    "1e308": Case("BadValue", "is beyond all measure", alter=set_load("1e308")),
    "word": Case("SourceUnavailable", NO_ANSWER, alter=set_load("many")),
    "null": Case("SourceUnavailable", NO_ANSWER, alter=set_load(None)),
    "twice": Case("SourceUnavailable", NO_ANSWER, alter=on_tick(altering.twice)),
    "empty": Case("NoMatchingSeries", "check metric and matchers", alter=on_tick(lambda entries: entries.clear())),
    "other-shape": Case(
        "SourceUnavailable", NO_ANSWER, alter=set_body(lambda _: b'{"status":"success","data":[]}'), source="BadAnswer"
    ),
    "nested": Case("SourceUnavailable", NO_ANSWER, alter=set_body(lambda _: NESTED), source="BadAnswer"),
    "no-json": Case("SourceUnavailable", NO_ANSWER, alter=set_body(lambda body: body[:-5]), source="BadAnswer"),
    "no-utf8": Case("SourceUnavailable", NO_ANSWER, alter=set_body(lambda _: b"\xff\xfe{\x80"), source="BadAnswer"),
    "5xx": Case("SourceUnavailable", "HTTP 503: see its own log", alter=set_status(503), source="QueryFailed"),
    "401": Case("SourceUnavailable", "check spec.auth", alter=set_status(401), source="Unauthorized"),
    "redirect": Case(
        "SourceUnavailable",
        "correct spec.url",
        alter=set_status(302, Location="http://127.0.0.1:9/"),
        source="Redirected",
    ),
    "slow": Case("SourceUnavailable", "raise spec.limits.timeout", alter=altering.slowly(6), source="Unreachable"),
    "cut-off": Case("SourceUnavailable", "check spec.url", alter=altering.cut_off, source="Unreachable"),
    "huge": Case(
        "SourceUnavailable",
        "raise spec.limits.maxBytes",
        alter=set_body(lambda body: body + b" " * 2**23),
        source="TooLarge",
    ),
    "bomb": Case("SourceUnavailable", "raise spec.limits.maxBytes", alter=altering.bomb(2**25), source="TooLarge"),
    "history-fails": Case(
        "HistoryUnavailable",
        "Scaling follows the observed load",
        "ForecastTrusted",
        alter=lambda asked, answer: set_status(500)(asked, answer) if asked == "query_range" else None,
    ),
}
HARMLESS: dict[str, Case] = {
    "long-labels": Case("", "", alter=on_tick(altering.lengthen_labels)),
    "disordered-history": Case("", "", alter=on("query_range", altering.disorder)),
    "counter-reset": Case("", "", own=load(counter(metric="restarting_total"))),
}
"""What must change nothing at all."""

METRICS = """\
# TYPE queue_length gauge
queue_length 40
# TYPE below_zero gauge
below_zero -40
# TYPE broken gauge
broken NaN
# TYPE endless gauge
endless +Inf
# TYPE huge gauge
huge 1e308
"""


class OddExporter(Exporter):
    """Exports what no one should, besides the load."""

    hiding = False

    def render(self) -> bytes:
        steady = super().render()
        count = float(steady.split()[-1])
        odd = METRICS + f"# TYPE restarting_total counter\nrestarting_total {count % 300}\n"
        if not self.hiding:
            odd += f"# TYPE vanishing_total counter\nvanishing_total {count}\n"
        return steady + odd.encode()
