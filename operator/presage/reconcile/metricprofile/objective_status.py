"""`status.scaling.objective`: the rule that past days speak for; a restart goes by it until they are replayed again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from presage.core.scaling.curves import Curve
from presage.core.scaling.gate import GateMemory, Setting
from presage.core.scaling.objective import Choice, Record
from presage.core.scaling.policy import ScalingPolicy
from presage.core.scaling.rule import Rule


def build_objective(choice: Choice, policy: ScalingPolicy) -> dict[str, object]:
    """Return `status.scaling.objective`."""
    return {
        "unmetLoad": policy.unmet_load,
        "rule": str(choice.rule),
        "curve": choice.rule.curve.name,
        "headroom": choice.rule.headroom,
        "days": choice.days,
        "reached": choice.reached,
        "replayed": _build_record(choice.record),
        "reactive": _build_record(choice.reactive),
    }


def _build_record(record: Record) -> dict[str, object]:
    return {"unmetShare": round(record.unmet_share, 6), "replicaHours": round(record.replica_hours, 1)}


def recall_gate(known: object, setting: Setting) -> GateMemory:
    """Return the choice that `status.scaling.objective` of this very spec tells of."""
    if not isinstance(known, Mapping):
        return GateMemory()
    try:
        rule = _find_rule(known["curve"], float(known["headroom"]), setting)
        record, reactive = _recall_record(known["replayed"]), _recall_record(known["reactive"])
        return GateMemory(choice=Choice(rule, record, rule, reactive, int(known["days"]), bool(known["reached"])))
    except (LookupError, TypeError, ValueError):
        return GateMemory()


def _find_rule(curve: str, headroom: float, setting: Setting) -> Rule:
    """Return one of the rules that the spec allows.

    Raises:
        LookupError: If there is none like it.
    """
    known: dict[tuple[str, float], Curve] = {(rule.curve.name, rule.headroom): rule.curve for rule in setting.rules}
    return Rule(known[curve, headroom], headroom)


def _recall_record(record: Mapping[str, Any]) -> Record:
    return Record(float(record["unmetShare"]), float(record["replicaHours"]), 0.0)
