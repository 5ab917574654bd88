"""What is derived from the KindDefinitions: CRDs, the ClusterRole's rules, the reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

import yaml

from presage.reconcile.kind import AnyKind
from presage.resources.schema import render_crd
from presage.runtime.reference import render_kind, render_metrics, render_reasons, render_settings
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
    reference = {kind.name.lower(): render_kind(kind) for kind in kinds}
    reference |= {"reasons": render_reasons(kinds), "metrics": render_metrics(kinds), "settings": render_settings()}
    files |= {PurePosixPath("docs/reference", f"{name}.md"): page for name, page in reference.items()}
    return files


def render_rules(kinds: Iterable[AnyKind]) -> str:
    """Return the ClusterRole's rules."""
    listed = [
        {"apiGroups": list(rule.groups), "resources": list(rule.resources), "verbs": list(rule.verbs)}
        for rule in list_cluster_rules(kinds)
    ]
    return f"# {_HEADER}\n" + yaml.safe_dump(listed, sort_keys=False, default_flow_style=None)
