from __future__ import annotations

from typing import Any

import pytest

from presage.core.source import SecretKey, SourceLimits, SourceSpec
from presage.resources.base import InvalidSpecError
from presage.resources.metricsource import MetricSource
from tests import builders
from tests.unit.resources import cases, source_cases


def parse(**spec: Any) -> SourceSpec:
    return MetricSource.parse(source_cases.source(spec)).spec.to_core()


def test_defaults() -> None:
    assert parse(url="http://prom/base/") == builders.source()


def test_everything_given() -> None:
    spec = parse(
        auth=source_cases.TOKEN,
        tls=source_cases.CA,
        namespaces={"names": ["shop"]},
        tenantLabel={"name": "ns", "value": "x"},
        limits={"timeoutSeconds": 5, "maxBytes": 2048, "maxSeries": 7, "maxConcurrency": 1},
        checkPeriodSeconds=15,
    )
    assert spec.bearer_token == SecretKey("prom", "token")
    assert spec.ca == SecretKey("prom", "ca.crt")
    assert spec.limits == SourceLimits(5, 2048, 7, 1)
    assert (spec.tenant_label, spec.tenant_value, spec.check_period_s) == ("ns", "x", 15)


def test_admits() -> None:
    everyone, shop = parse(), parse(namespaces={"names": ["shop"]})
    assert [everyone.admits("any"), shop.admits("shop"), shop.admits("shops")] == [True, True, False]


def test_tenant() -> None:
    assert parse().tenant("shop") is None
    assert parse(tenantLabel={"name": "ns"}).tenant("shop") == ("ns", "shop")
    assert parse(tenantLabel={"name": "ns", "value": "all"}).tenant("shop") == ("ns", "all")


@pytest.mark.parametrize("changes", source_cases.SOURCES_ACCEPTED.values(), ids=source_cases.SOURCES_ACCEPTED)
def test_accepted(changes: cases.Changes) -> None:
    parse(**changes)


@pytest.mark.parametrize("case", source_cases.SOURCES_REFUSED.values(), ids=source_cases.SOURCES_REFUSED)
def test_refused(case: cases.Refused) -> None:
    with pytest.raises(InvalidSpecError, match=case.says):
        parse(**case.changes)


def test_refusal_repeats_no_value() -> None:
    with pytest.raises(InvalidSpecError) as refusal:
        parse(url="http://me:hunter2@prom")
    assert "hunter2" not in str(refusal.value)


def test_metadata_is_kept() -> None:
    source = MetricSource.parse(
        {
            "apiVersion": "presage.dev/v1alpha1",
            "kind": "MetricSource",
            "metadata": {"name": "main", "uid": "u", "generation": 3, "annotations": {"a": "b"}, "managedFields": []},
            "spec": {"url": source_cases.URL},
            "status": {"conditions": "not even a list"},
        }
    )
    assert (source.metadata.uid, source.metadata.generation, source.metadata.annotations) == ("u", 3, {"a": "b"})
