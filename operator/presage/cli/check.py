"""`presage check`: is the installation sound? A line for each finding, with the remedy."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from presage.adapters.kubeconfig_reader import ClusterReader, ReaderError
from presage.cli.gather import Installation, gather_installation
from presage.core.installation import judge_cluster, judge_objects, judge_operator
from presage.core.installation.facts import Unread
from presage.core.installation.finding import Finding, Level
from presage.reconcile.kind import AnyKind
from presage.runtime.kinds import KINDS

SCHEMA_VERSION = 1
_MARKS: Mapping[Level, str] = {"ok": "ok", "warning": "WARN", "failed": "FAIL", "unknown": "?"}
_WORDS: Mapping[Level, str] = {"ok": "ok", "warning": "to look at", "failed": "failed", "unknown": "not known"}


def check(namespace: str | None, context: str | None, output: str) -> int:
    """Print the findings; return the exit code.

    Args:
        namespace: The operator's; None to look for it.
        context: Context of the kubeconfig; None for the current one.
        output: `text` or `json`.
    """
    try:
        reader = ClusterReader(context)
        installation = gather_installation(reader, namespace, KINDS, lambda _: None)
    except ReaderError as error:
        print(f"presage check: {error}", file=sys.stderr)
        return error.exit_code
    own = version("presage")
    findings = judge(installation, own)
    if output == "json":
        print(json.dumps(as_json(installation, findings, own), indent=2))
    else:
        print(f"presage {own}, namespace {installation.namespace}, context {reader.context}\n\n{render(findings)}")
    return 1 if any(finding.level == "failed" for finding in findings) else 0


def judge(installation: Installation, own_version: str, kinds: Sequence[AnyKind] = KINDS) -> list[Finding]:
    """Return all findings about an installation.

    Args:
        installation: What was gathered.
        own_version: Version of this command.
        kinds: All kinds.
    """
    operator = installation.operator
    return [
        judge_cluster.judge_server(installation.server),
        judge_cluster.judge_local_clock(installation.server),
        *judge_cluster.judge_definitions(installation.definitions),
        *judge_operator.judge_deployments(installation.operators, installation.namespace),
        *([judge_operator.judge_version(operator, own_version)] if operator else []),
        *judge_cluster.judge_rights(installation.account, installation.rights),
        *judge_operator.judge_lease(installation.leases, installation.namespace, operator),
        *([judge_operator.judge_budgets(installation.budgets, operator)] if operator else []),
        *judge_cluster.judge_policies(installation.policies),
        judge_cluster.judge_injection(installation.injection, installation.namespace),
        *(finding for kind in kinds for finding in _judge_kind(installation, kind)),
    ]


def _judge_kind(installation: Installation, kind: AnyKind) -> list[Finding]:
    """Judge the objects of one kind; without its CRD there are none, which the finding about the CRD says."""
    crds = () if isinstance(installation.definitions, Unread) else installation.definitions
    if any(crd.name == kind.model.meta.crd_name and not crd.found for crd in crds):
        return []
    remedies = {(reason.condition, reason.name): reason.remedy for reason in kind.reasons}
    judge_all = judge_objects.judge_profiles if kind.resource.namespaced else judge_objects.judge_sources
    return judge_all(installation.objects.get(kind.name, Unread("it was not read")), kind.name, remedies)


def as_json(installation: Installation, findings: Sequence[Finding], own_version: str) -> dict[str, Any]:
    """Return the findings for programs; fields are only ever added within one `schemaVersion`."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "version": own_version,
        "namespace": installation.namespace,
        "sound": not any(finding.level == "failed" for finding in findings),
        "findings": [asdict(finding) for finding in findings],
    }


def render(findings: Sequence[Finding]) -> str:
    """Return the findings for a person: aligned, each remedy below its finding, a summary at the end."""
    width = max(len(finding.check) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{_MARKS[finding.level]:<4}  {finding.check:<{width}}  {finding.message}")
        if finding.remedy:
            lines.append(f"{'':<4}  {'':<{width}}  → {finding.remedy}")
    counts = Counter(finding.level for finding in findings)
    summary = ", ".join(f"{counts[level]} {word}" for level, word in _WORDS.items() if counts[level])
    return "\n".join([*lines, "", summary])
