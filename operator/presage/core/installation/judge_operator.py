"""Judge the operator itself: its Deployment and pods, its version, the Lease, its clock, its disruption budget."""

from __future__ import annotations

import re

from presage.core.installation.facts import Known, LeaseRecord, Operator, Pod, Unread
from presage.core.installation.finding import READ_RIGHTS, Finding, failed, listed, ok, unknown, warning

MANY_RESTARTS = 3
MAX_OPERATOR_SKEW_S = 3.0
_DATE_RESOLUTION_S = 1.0  # the API server's own times are whole seconds
_TAG_OF_VERSION = re.compile(r":v?(\d+\.\d+\.\d+[^@]*)(@|$)")


def judge_deployments(found: Known[tuple[Operator, ...]], namespace: str) -> list[Finding]:
    """Judge whether there is exactly one operator."""
    if isinstance(found, Unread):
        return [unknown("operator", f"The operator's Deployment cannot be read: {found.why}.", READ_RIGHTS)]
    if not found:
        return [
            failed(
                "operator",
                f"There is no presage operator in namespace {namespace}.",
                f"helm install presage charts/presage -n {namespace} --create-namespace, or name another with -n",
            )
        ]
    if len(found) > 1:
        places = listed(f"{each.namespace}/{each.name}" for each in found)
        return [
            failed(
                "operator", f"There are {len(found)} operators, which may all act: {places}.", "uninstall all but one"
            )
        ]
    return _judge_pods(found[0])


def _judge_pods(operator: Operator) -> list[Finding]:
    where = f"-n {operator.namespace}"
    title = f"Deployment {operator.namespace}/{operator.name}"
    if isinstance(operator.pods, Unread):
        return [unknown("operator", f"The pods of {title} cannot be read: {operator.pods.why}.", READ_RIGHTS)]
    if operator.replicas == 0:
        return [
            failed(
                "operator", f"{title} is scaled to 0.", f"kubectl scale deployment {operator.name} {where} --replicas 2"
            )
        ]
    pods = [pod for pod in operator.pods if not pod.deleting]
    ready = [pod for pod in pods if pod.ready]
    findings = [_judge_pod(pod, where) for pod in pods if not pod.ready or pod.restarts >= MANY_RESTARTS]
    if len(ready) < operator.replicas and len(pods) < operator.replicas:
        findings.append(
            failed(
                "operator",
                f"{title} has {len(pods)} of {operator.replicas} pods.",
                f"kubectl describe replicaset {where} says why no pod is made",
            )
        )
    return findings or [ok("operator", f"{title}: {len(ready)} of {operator.replicas} pods are Ready.")]


def _judge_pod(pod: Pod, where: str) -> Finding:
    if not pod.ready:
        why = f" ({pod.trouble})" if pod.trouble else ""
        return failed(
            "operator",
            f"Pod {pod.name} is not Ready{why}.",
            f"kubectl describe pod {pod.name} {where}; kubectl logs {pod.name} {where}: the line with level error",
        )
    last = f", last for {pod.trouble}" if pod.trouble else ""
    return warning(
        "operator",
        f"Pod {pod.name} was restarted {pod.restarts} times{last}.",
        f"kubectl logs {pod.name} {where} --previous",
    )


def judge_version(operator: Operator, own: str) -> Finding:
    """Judge whether the operator and this command are of one version."""
    tagged = _TAG_OF_VERSION.search(operator.image)
    theirs = {operator.version, *([tagged[1]] if tagged else ())} - {"", own}
    if theirs:
        return warning(
            "version",
            f"The operator is {listed(sorted(theirs))}, this command is {own}: CRDs and rights may differ.",
            "use the presage command of the operator's version, or upgrade the operator",
        )
    if not operator.version and not tagged:
        return unknown(
            "version",
            f"Neither a label nor the image tag tells the operator's version ({operator.image}).",
            "install by the chart, which sets app.kubernetes.io/version",
        )
    return ok("version", f"Operator and command are both {own}.")


def judge_lease(leases: Known[tuple[LeaseRecord, ...]], namespace: str, operator: Operator | None) -> list[Finding]:
    """Judge whether exactly one operator acts, is a live pod, and renews its Lease.

    Args:
        leases: All Leases of the operator's name, in all namespaces that could be read.
        namespace: The operator's.
        operator: The operator; None if it is not known, then the holder cannot be matched with a pod.
    """
    if isinstance(leases, Unread):
        return [unknown("lease", f"The Lease cannot be read: {leases.why}.", READ_RIGHTS)]
    fresh = [lease for lease in leases if lease.holder and not _is_stale(lease)]
    if len(fresh) > 1:
        places = listed(f"{each.namespace} (held by {each.holder})" for each in fresh)
        return [
            failed("lease", f"{len(fresh)} operators act at once, in namespaces {places}.", "uninstall all but one")
        ]
    own = next((each for each in leases if each.namespace == namespace), None)
    if own is None or not own.holder:
        return [failed("lease", "No operator holds the Lease: nothing is decided.", _how_to_lead(operator))]
    return _judge_holder(own, operator)


def _how_to_lead(operator: Operator | None) -> str:
    if operator is None:
        return "see the finding about the operator"
    selector = "-l app.kubernetes.io/component=operator"
    return f"kubectl logs -n {operator.namespace} {selector}: look for lines with level error"


def _judge_holder(lease: LeaseRecord, operator: Operator | None) -> list[Finding]:
    title = f"Lease {lease.namespace}/{lease.name}"
    if _is_stale(lease):
        silent = lease.seen_at - (lease.written_at or lease.renewed_at or 0)
        return [
            failed(
                "lease",
                f"{title} was last renewed {_span(silent)} ago by {lease.holder} and lasts {lease.duration_s:g} s: "
                "nothing is decided.",
                f"see why no operator is ready: kubectl get pods -n {lease.namespace}",
            )
        ]
    if operator is None:
        return [unknown("lease", f"{title} is held by {lease.holder}.", _how_to_lead(operator))]
    pods = operator.pods
    if isinstance(pods, Unread):
        return [
            unknown("lease", f"{title} is held by {lease.holder}, its pods cannot be read: {pods.why}.", READ_RIGHTS)
        ]
    if lease.holder not in {pod.name for pod in pods}:
        return [
            failed(
                "lease",
                f"{title} is held by {lease.holder}, which is no pod of the operator.",
                "end the presage operator that runs elsewhere, such as on a workstation",
            )
        ]
    return [ok("lease", f"{lease.holder} holds {title} and renews it."), *_judge_operator_clock(lease)]


def _judge_operator_clock(lease: LeaseRecord) -> list[Finding]:
    """Compare the holder's own time of a renewal with the API server's of the same write."""
    if lease.renewed_at is None or lease.written_at is None:
        return []
    ahead = lease.renewed_at - lease.written_at
    if abs(ahead) > MAX_OPERATOR_SKEW_S + _DATE_RESOLUTION_S:
        side = "ahead of" if ahead > 0 else "behind"
        return [
            failed(
                "clock",
                f"The operator's clock is {abs(ahead):.0f} s {side} the API server's: the age of samples is misjudged.",
                f"set the time of the node of pod {lease.holder} by NTP",
            )
        ]
    return [ok("clock", f"The operator's clock agrees with the API server's within {MAX_OPERATOR_SKEW_S:.0f} s.")]


def _is_stale(lease: LeaseRecord) -> bool:
    last = lease.written_at if lease.written_at is not None else lease.renewed_at
    return last is None or lease.seen_at - last > lease.duration_s + 2 * _DATE_RESOLUTION_S


def _span(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def judge_budgets(budgets: Known[tuple[str, ...]], operator: Operator) -> Finding:
    """Judge whether a drain of nodes can take all operators at once."""
    if isinstance(budgets, Unread):
        return unknown("disruption", f"The PodDisruptionBudgets cannot be read: {budgets.why}.", READ_RIGHTS)
    if operator.replicas < 2:
        return ok("disruption", "One replica needs no PodDisruptionBudget; a second one takes over when it goes.")
    if not budgets:
        return warning(
            "disruption",
            "There is no PodDisruptionBudget: a drain may take all operators at once.",
            "install the chart's PodDisruptionBudget (helm upgrade)",
        )
    return ok("disruption", f"PodDisruptionBudget {listed(budgets)} keeps an operator.")
