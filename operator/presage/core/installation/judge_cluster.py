"""Judge what presage stands on: API server, clocks, definitions, rights, admission policy, injection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from presage.core.installation.facts import Definition, Known, Policy, Right, Server, Unread
from presage.core.installation.finding import READ_RIGHTS, Finding, failed, listed, ok, unknown, warning
from presage.core.recording.injection import Mechanism

OLDEST_SERVER = (1, 30)
MAX_LOCAL_SKEW_S = 5.0
UPGRADE = "kubectl apply --server-side --force-conflicts -f crds/"  # Helm owns fields of those it installed


def judge_server(server: Server) -> Finding:
    """Judge the API server's version."""
    if (server.major, server.minor) < OLDEST_SERVER:
        oldest = ".".join(map(str, OLDEST_SERVER))
        return failed("api-server", f"Kubernetes {server.version} is too old.", f"upgrade to {oldest} or newer")
    return ok("api-server", f"Kubernetes {server.version} answers.")


def judge_local_clock(server: Server) -> Finding:
    """Judge the clock of this machine against the API server's."""
    if server.ahead_s is None:
        return unknown("clock", "The API server's answer carries no date.", "look whether a proxy takes it away")
    apart = abs(server.ahead_s)
    if apart - server.uncertainty_s > MAX_LOCAL_SKEW_S:
        side = "behind" if server.ahead_s > 0 else "ahead of"
        return warning(
            "clock",
            f"This machine's clock is {apart:.0f} s {side} the API server's.",
            "set the time of this machine, or of the control plane, by NTP",
        )
    return ok("clock", f"This machine's clock agrees with the API server's within {MAX_LOCAL_SKEW_S:.0f} s.")


def judge_definitions(definitions: Known[tuple[Definition, ...]]) -> list[Finding]:
    """Judge the CRDs."""
    if isinstance(definitions, Unread):
        return [unknown("crd", f"The CRDs cannot be read: {definitions.why}.", READ_RIGHTS)]
    return [_judge_definition(each) for each in definitions]


def _judge_definition(crd: Definition) -> Finding:
    if not crd.shipped:
        return warning(
            "crd",
            f"{crd.name} is left over from another version.",
            f"see what it holds (kubectl get {crd.name} -A), then kubectl delete crd {crd.name}",
        )
    if not crd.found:
        return failed("crd", f"{crd.name} is not installed.", UPGRADE)
    if crd.deleting:
        return failed(
            "crd",
            f"{crd.name} is being deleted, and its objects with it.",
            f"see what holds it (kubectl get {crd.name} -A); afterwards {UPGRADE}",
        )
    if not crd.established:
        return failed(
            "crd", f"{crd.name} is not served.", f"see kubectl describe crd {crd.name}; another CRD may use its names"
        )
    if crd.differences:
        return failed("crd", f"{crd.name} is not this version's: {listed(crd.differences, 2)}.", UPGRADE)
    return ok("crd", f"{crd.name} is served and is this version's.")


def judge_rights(account: str, rights: Known[Mapping[Right, bool]]) -> list[Finding]:
    """Judge whether the operator's account may do all it has to; `account` is empty where it is not known."""
    if not account:
        return [unknown("rbac", "The operator's account is not known.", "see the finding about the operator")]
    if isinstance(rights, Unread):
        return [
            unknown(
                "rbac",
                f"The rights of {account} cannot be asked for: {rights.why}.",
                "let someone run the check who may create subjectaccessreviews",
            )
        ]
    missing = sorted((right for right, allowed in rights.items() if not allowed), key=str)
    if not missing:
        return [ok("rbac", f"{account} may do all it has to ({len(rights)} rights).")]
    return [failed("rbac", f"{account} may not {right}.", _how_to_grant(right)) for right in missing]


def _how_to_grant(right: Right) -> str:
    if right.resource == "secrets":
        return f"add {right.name or 'the Secret'} to the chart's rbac.secretNames"
    kind = "Role" if right.namespace else "ClusterRole"
    return f"restore the chart's {kind} and its binding: helm upgrade with rbac.create=true"


def judge_policies(policies: Known[tuple[Policy, ...]]) -> list[Finding]:
    """Judge the ValidatingAdmissionPolicies that keep users from scaling what they may not."""
    if isinstance(policies, Unread):
        return [unknown("admission", f"The admission policies cannot be read: {policies.why}.", READ_RIGHTS)]
    if not policies:
        return [
            warning(
                "admission",
                "There is no admission policy: whoever may write a MetricProfile can scale its target.",
                "install the chart's ValidatingAdmissionPolicy (helm upgrade)",
            )
        ]
    return list(_judge_each_policy(policies))


def _judge_each_policy(policies: Iterable[Policy]) -> Iterable[Finding]:
    for policy in policies:
        if not policy.bound or not policy.denies:
            state = "refuses nothing" if policy.bound else "has no binding"
            yield failed(
                "admission",
                f"The admission policy {policy.name} {state}.",
                "restore the chart's ValidatingAdmissionPolicyBinding with validationActions: [Deny]",
            )
        elif policy.warnings:
            yield warning(
                "admission",
                f"The API server warns of the admission policy {policy.name}: {listed(policy.warnings, 1)}.",
                f"see kubectl describe validatingadmissionpolicy {policy.name}",
            )
        else:
            yield ok("admission", f"The admission policy {policy.name} is bound and refuses.")


def judge_injection(mechanism: Known[Mechanism], namespace: str) -> Finding:
    """Judge by what new pods are given the reference to what they record, as a dry run in a namespace showed it."""
    if isinstance(mechanism, Unread):
        return unknown(
            "injection",
            f"Whether new pods are injected cannot be tried: {mechanism.why}.",
            f"ask for the right to create pods in namespace {namespace} (nothing is stored)",
        )
    if mechanism == "Policy":
        return ok("injection", "New pods with the label presage.dev/profile are injected, by the admission policy.")
    if mechanism == "Webhook":
        return ok("injection", "New pods with the label presage.dev/profile are injected, by presage's webhook.")
    return warning(
        "injection",
        "New pods are not injected: they record by the Minimal profile, whatever is chosen.",
        "helm upgrade with injection.enabled=true; see docs/injection.md, Troubleshooting",
    )
