"""MetricProfiles whose event types are found from a label, which the schema lets through or refuses; see `cases`."""

from __future__ import annotations

from tests.unit.resources.cases import BYTES, COUNTER, GAUGE, ONE_LOAD, Changes, Refused

FROM_ROUTE = {"label": "route", "load": COUNTER}

FOUND_ACCEPTED: dict[str, Changes] = {
    "types from a label": {"eventTypes": None, "eventTypesFrom": FROM_ROUTE},
    "types given and from a label": {"eventTypesFrom": FROM_ROUTE | {"max": 32, "weight": "0.5"}},
    "bytes of types from a label": {
        "eventTypes": None,
        "eventTypesFrom": FROM_ROUTE | {"load": COUNTER | BYTES},
        "scaling.perPodBytes": "10Mi",
    },
}

FOUND_REFUSED: dict[str, Refused] = {
    "no event types at all": Refused({"eventTypes": None}, "spec: .*spec must have eventTypes, eventTypesFrom or both"),
    "types from the metric name": Refused(
        {"eventTypesFrom": FROM_ROUTE | {"label": "__name__"}}, "eventTypesFrom.label: .*cannot be __name__"
    ),
    "types from a label with a dash": Refused(
        {"eventTypesFrom": FROM_ROUTE | {"label": "a-b"}}, "spec.eventTypesFrom.label: "
    ),
    "types from a label, none of them": Refused(
        {"eventTypesFrom": FROM_ROUTE | {"max": 0}}, "eventTypesFrom.max: .*greater than or equal to 1"
    ),
    "types from a label without end": Refused(
        {"eventTypesFrom": FROM_ROUTE | {"max": 33}}, "eventTypesFrom.max: .*less than or equal to 32"
    ),
    "types from a label of two loads": Refused(
        {"eventTypesFrom": FROM_ROUTE | {"load": COUNTER | GAUGE}}, "spec.eventTypesFrom.load: .*" + ONE_LOAD
    ),
    "bytes of types from a label without bytes per pod": Refused(
        {"eventTypesFrom": FROM_ROUTE | {"load": COUNTER | BYTES}},
        "spec: .*scaling.perPodBytes must be given where an event type gives load.bytes",
    ),
}
