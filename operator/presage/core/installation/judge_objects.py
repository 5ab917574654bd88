"""Judge the objects presage looks after, by what it says of them itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from presage.core.installation.facts import Known, Managed, Observation, Unread
from presage.core.installation.finding import READ_RIGHTS, Finding, failed, listed, ok, unknown, warning

STUCK_S = 300.0
_ASLEEP = "see the findings about operator and lease"

Remedies = Mapping[tuple[str, str], str]
"""What to do: (condition, reason) → remedy."""


def judge_sources(objects: Known[tuple[Managed, ...]], kind: str, remedies: Remedies) -> list[Finding]:
    """Judge cluster-scoped objects, which administrators declare: a line each, and none is a warning."""
    check = kind.lower()
    if isinstance(objects, Unread):
        return [unknown(check, f"Objects of kind {kind} cannot be read: {objects.why}.", READ_RIGHTS)]
    if not objects:
        return [warning(check, f"There is no {kind}.", f"declare one: docs/examples/{check}.yaml")]
    return [*(_judge_source(each, check, remedies) for each in objects if not _is_stuck(each)), *_stuck(objects, check)]


def _judge_source(source: Managed, check: str, remedies: Remedies) -> Finding:
    fault = _find_fault(source)
    if fault is None:
        return ok(check, f"{source.kind} {source.title} is Ready.")
    if fault.reason == "":
        return failed(check, f"{source.kind} {source.title}: {fault.message}", _ASLEEP)
    return failed(
        check,
        f"{source.kind} {source.title}: {fault.type} is {fault.status}, {fault.reason}: {fault.message}",
        remedies.get((fault.type, fault.reason), "see the message"),
    )


def judge_profiles(objects: Known[tuple[Managed, ...]], kind: str, remedies: Remedies) -> list[Finding]:
    """Judge namespaced objects, which users declare: those not Ready are counted by reason."""
    check = kind.lower()
    if isinstance(objects, Unread):
        return [unknown(check, f"Objects of kind {kind} cannot be read: {objects.why}.", READ_RIGHTS)]
    groups: dict[tuple[str, str], list[Managed]] = {}
    for each in objects:
        fault = _find_fault(each)
        if fault is not None and not _is_stuck(each):
            groups.setdefault((fault.type, fault.reason), []).append(each)
    findings = [_judge_group(kind, reason, members, remedies) for reason, members in sorted(groups.items())]
    findings += _stuck(objects, check)
    return findings or [
        ok(check, f"All {len(objects)} of kind {kind} are Ready." if objects else f"There is no {kind}.")
    ]


def _judge_group(kind: str, reason: tuple[str, str], members: Sequence[Managed], remedies: Remedies) -> Finding:
    count = f"1 {kind} is" if len(members) == 1 else f"{len(members)} of kind {kind} are"
    why = f"{reason[1]}" if reason[1] else "the operator has not looked at the present spec"
    return warning(
        kind.lower(),
        f"{count} not Ready, {why}: {listed(sorted(each.title for each in members))}.",
        remedies.get(reason, "see kubectl describe") if reason[1] else _ASLEEP,
    )


def _find_fault(managed: Managed) -> Observation | None:
    """Return what keeps an object from being Ready; its reason is empty where nobody looked at it yet."""
    ready = next((each for each in managed.conditions if each.type == "Ready"), None)
    if ready is None or not managed.current:
        return Observation("Ready", "Unknown", "", "the operator has not looked at the present spec yet.")
    if ready.status == "True":
        return None
    return next((each for each in managed.conditions if each.type != "Ready" and each.reason == ready.reason), ready)


def _is_stuck(managed: Managed) -> bool:
    return managed.deleting_s is not None and managed.deleting_s > STUCK_S


def _stuck(objects: Sequence[Managed], check: str) -> list[Finding]:
    """Judge objects whose deletion was asked for long ago."""
    return [
        failed(
            check,
            f"{each.kind} {each.title} should have gone {each.deleting_s or 0:.0f} s ago; "
            f"held by {listed(each.finalizers) or 'nothing known'}.",
            "see that the operator runs; docs/troubleshooting.md tells how to let an object go without it",
        )
        for each in objects
        if _is_stuck(each)
    ]
