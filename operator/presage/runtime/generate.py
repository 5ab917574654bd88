"""What is derived from the KindDefinitions: CRDs, the ClusterRole's rules, the reference of reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

import yaml

from presage.reconcile.kind import AnyKind
from presage.resources.schema import render_crd
from presage.runtime.rights import list_cluster_rules

_HEADER = "Generated from the KindDefinitions. Do not edit: run `make crds`."


def render_all(kinds: Iterable[AnyKind]) -> Mapping[PurePosixPath, str]:
    """Return every generated file: path relative to the repository → content."""
    kinds = tuple(kinds)
    files: dict[PurePosixPath, str] = {}
    for kind in kinds:
        crd = render_crd(kind.model)
        for folder in ("crds", "charts/presage/crds"):
            files[PurePosixPath(folder, f"{kind.resource.plural}.yaml")] = crd
    files[PurePosixPath("charts/presage/files/clusterrole-rules.yaml")] = render_rules(kinds)
    files[PurePosixPath("docs/reference/reasons.md")] = render_reasons(kinds)
    return files


def render_rules(kinds: Iterable[AnyKind]) -> str:
    """Return the ClusterRole's rules."""
    listed = [
        {"apiGroups": list(rule.groups), "resources": list(rule.resources), "verbs": list(rule.verbs)}
        for rule in list_cluster_rules(kinds)
    ]
    return f"# {_HEADER}\n" + yaml.safe_dump(listed, sort_keys=False, default_flow_style=None)


def render_reasons(kinds: Iterable[AnyKind]) -> str:
    """Return the reference of condition reasons as Markdown, one table a kind."""
    lines = [f"<!-- {_HEADER} -->", "# Reasons of conditions", ""]
    for kind in kinds:
        lines += [f"## {kind.name}", "", "| condition | reason | meaning | what to do |", "|---|---|---|---|"]
        lines += [f"| {r.condition} | `{r.name}` | {r.meaning} | {r.remedy} |" for r in kind.reasons]
        lines.append("")
    return "\n".join(lines)
