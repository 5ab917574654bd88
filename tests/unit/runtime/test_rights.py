from __future__ import annotations

from pathlib import Path

import yaml

from presage.core.installation.facts import Right
from presage.runtime.kinds import KINDS
from presage.runtime.rights import list_cluster_rules, list_rights

SNAPSHOT = Path(__file__).parents[2] / "chart/snapshots/default.yaml"


def test_rights_at_home_are_those_the_chart_grants() -> None:
    documents = [each for each in yaml.safe_load_all(SNAPSHOT.read_text()) if each["kind"] == "Role"]
    granted = {
        Right(verb, group, resource, "presage-system", name)
        for role in documents
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [""])
    }
    needed = {
        each for each in list_rights(KINDS, namespace="presage-system", lease="presage-operator") if each.namespace
    }
    assert needed <= granted
    assert Right("get", "", "secrets", "presage-system") in granted


def test_each_rule_is_split_into_its_rights() -> None:
    rights = list_rights(KINDS, namespace="home", lease="l", secrets=["b", "a", "b"])
    assert len(set(rights)) == len(rights)
    everywhere = [right for right in rights if not right.namespace]
    assert len(everywhere) == sum(len(r.groups) * len(r.resources) * len(r.verbs) for r in list_cluster_rules(KINDS))
    assert [right.name for right in rights if right.resource == "secrets"] == ["a", "b"]
