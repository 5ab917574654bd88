"""A replay as JSON: a stable document, described field by field in `FIELDS`, from which the reference is made.

Within one `schemaVersion` fields are only ever added. No number is NaN or infinite.
"""

from __future__ import annotations

from typing import Any

from presage.cli.loads.document import SERIES_FIELDS, build_series
from presage.cli.simulate.arguments import PRESAGE
from presage.cli.simulate.result import Simulation, describe_saving
from presage.core.scaling.rivals import SYNC_S
from presage.core.scaling.world import Outcome

SCHEMA_VERSION = 1

FIELDS: tuple[tuple[str, str, str], ...] = (
    ("schemaVersion", "integer", "1; fields are only ever added to it"),
    *SERIES_FIELDS,
    ("timeZone", "string", "zone of all times here"),
    ("window.start", "string", "first moment that was replayed, ISO 8601; what lies before is history"),
    ("window.end", "string", "end of what was replayed"),
    ("window.seconds", "number", "its length"),
    ("window.missingSeconds", "number", "time within it of which the load is not known; nothing is unmet then"),
    ("tickSeconds", "number", "time between two decisions"),
    ("stepSeconds", "integer", "width of a slot of the forecasts"),
    ("target.perPod", "number", "load that one ready pod serves"),
    ("target.startUpSeconds", "number", "from asking for a pod until it is ready"),
    ("target.minReplicas", "integer", "fewest replicas"),
    ("target.maxReplicas", "integer", "most replicas"),
    ("objective", "number", "share of the load that presage may leave unmet"),
    ("hpaTarget", "number", "share of a pod's capacity that the HPA aims at"),
    ("rules.RULE", "object", "what came of a rule; a rule that was not asked for, or not played, is absent"),
    ("rules.RULE.unmetShare", "number", "load above the capacity of ready pods, over all load"),
    ("rules.RULE.unmetLoad", "number", "the same load in its unit times seconds: requests, of requests per second"),
    ("rules.RULE.underProvisionedMinutes", "number", "minutes with such load"),
    ("rules.RULE.replicaHours", "number", "replicas asked for, ready or not, summed over time"),
    ("rules.RULE.changes", "integer", "times the number of replicas changed"),
    ("rules.RULE.leastReplicas", "integer", "fewest replicas asked for"),
    ("rules.RULE.mostReplicas", "integer", "most replicas asked for"),
    (
        "saved.RIVAL.replicaHours",
        "number",
        "replica-hours of the rival less those of presage; below 0 presage costs more",
    ),
    ("saved.RIVAL.unmetShare", "number", "unmet share of the rival less that of presage; below 0 presage leaves more"),
    ("notPlayed.RULE", "string", "why a rule could not be played"),
    ("summary", "string", "the saving against the HPA in words; empty without the HPA"),
    ("warnings[]", "string", "what is odd about the input"),
)
"""Path, type and meaning of each field. RULE is `presage`, `hpa`, `cron`, `yesterday` or `clairvoyant`; RIVAL is any of
them but the first; `[]` is each element of a list."""


def build_document(result: Simulation) -> dict[str, Any]:
    """Return the replay for programs."""
    own, target = result.outcomes[PRESAGE], result.target
    rivals = {name: outcome for name, outcome in result.outcomes.items() if name != PRESAGE}
    missing = int((result.series != result.series).sum())
    return {
        "schemaVersion": SCHEMA_VERSION,
        "series": build_series(result.load, result.unit, result.moment),
        "timeZone": result.zone or "UTC",
        "window": {
            "start": result.moment(result.start).isoformat(),
            "end": result.moment(result.end).isoformat(),
            "seconds": len(result.series) * SYNC_S,
            "missingSeconds": missing * SYNC_S,
        },
        "tickSeconds": SYNC_S,
        "stepSeconds": result.step,
        "target": {
            "perPod": target.capacity,
            "startUpSeconds": target.startup_s,
            "minReplicas": target.min_replicas,
            "maxReplicas": target.max_replicas,
        },
        "objective": result.objective,
        "hpaTarget": result.utilization,
        "rules": {name: _outcome(outcome) for name, outcome in result.outcomes.items()},
        "saved": {
            name: {
                "replicaHours": outcome.replica_hours - own.replica_hours,
                "unmetShare": outcome.unmet_share - own.unmet_share,
            }
            for name, outcome in rivals.items()
        },
        "notPlayed": dict(result.missing),
        "summary": describe_saving(result),
        "warnings": list(result.load.warnings),
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "unmetShare": outcome.unmet_share,
        "unmetLoad": float(outcome.unmet.sum()) * SYNC_S,
        "underProvisionedMinutes": outcome.under_minutes,
        "replicaHours": outcome.replica_hours,
        "changes": outcome.changes,
        "leastReplicas": int(outcome.replicas.min()),
        "mostReplicas": int(outcome.replicas.max()),
    }
