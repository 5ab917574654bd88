"""Several measures of one object, each served by the same pods: the largest need binds, the worst data counts.

Each measure is decided on by itself, as if it were the only one. The highest answer serves all of them, so one more
measure never lowers it, and one that may not shrink keeps the replicas there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from presage.core.profile import MeasureName
from presage.core.scaling.decision import ReplicaDecision
from presage.core.scaling.ladder import Judgement
from presage.core.scaling.trust import Trust

_RUNGS = ("Hold", "Coasting", "Live")


def find_binding(decisions: Mapping[MeasureName, ReplicaDecision]) -> MeasureName:
    """Return the measure that keeps the most replicas.

    Of equal ones it is one that needs them all, else one that must hold them for want of data, else the one that needs
    the most of them, else the first.
    """

    def rank(name: MeasureName) -> tuple[int, bool, bool, int]:
        decision = decisions[name]
        return decision.replicas, decision.wanted >= decision.replicas, decision.binding == "Hold", decision.wanted

    return max(decisions, key=rank)


def combine_decisions(decisions: Mapping[MeasureName, ReplicaDecision]) -> ReplicaDecision:
    """Return the decision of the measure that binds, with what all measures together want."""
    wanted = max(decision.wanted for decision in decisions.values())
    return replace(decisions[find_binding(decisions)], wanted=wanted)


def find_worst_data(judgements: Mapping[MeasureName, Judgement]) -> Judgement:
    """Return the lowest rung of all measures, named after the measure unless all say the same; of equal ones the first.

    It is `Live` only if all of them are.
    """
    worst = min(judgements, key=lambda name: _RUNGS.index(judgements[name].rung))
    judgement = judgements[worst]
    if all(each == judgement for each in judgements.values()):
        return judgement
    return replace(judgement, message=f"Metric {worst}: {judgement.message}")


def find_worst_trust(verdicts: Mapping[MeasureName, Trust]) -> Trust:
    """Return the verdict on the forecast that is trusted least, named as above; of equal ones the first.

    It does not change as one measure or another happens to bind.
    """
    worst = min(verdicts, key=lambda name: (verdicts[name].trusted, verdicts[name].reason == "BacktestPassed"))
    trust = verdicts[worst]
    if all(each.message == trust.message for each in verdicts.values()):
        return trust
    return replace(trust, message=f"Metric {worst}: {trust.message}")
