from __future__ import annotations

from typing import Any

import pytest

from presage.core.source import SecretKey, SourceLimits, SourceSpec
from presage.resources.base import InvalidSpecError
from presage.resources.metricsource import MetricSource

URL = "https://prometheus.example:9090"
TOKEN = {"bearerTokenSecretRef": {"name": "prom", "key": "token"}}
BASIC = {"basicAuthSecretRef": {"name": "prom"}}
CA = {"caSecretRef": {"name": "prom", "key": "ca.crt"}}


def parse(**spec: Any) -> SourceSpec:
    return MetricSource.parse({"metadata": {"name": "main"}, "spec": {"url": URL, **spec}}).spec.to_core()


def test_defaults() -> None:
    assert parse(url="http://prom/base/") == SourceSpec(
        url="http://prom/base",
        bearer_token=None,
        basic_auth=None,
        ca=None,
        verify=True,
        namespaces=None,
        tenant_label=None,
        tenant_value=None,
        limits=SourceLimits(timeout_s=10, max_bytes=8_388_608, max_series=10_000, max_concurrency=4),
        check_period_s=30,
    )


def test_everything_given() -> None:
    spec = parse(
        auth=TOKEN,
        tls=CA,
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


ACCEPTED: dict[str, dict[str, Any]] = {
    "host and port": {"url": "http://prometheus.monitoring.svc:9090"},
    "IPv4": {"url": "http://10.0.0.1:9090/"},
    "IPv6": {"url": "http://[fd00::1]:9090"},
    "path": {"url": "https://mimir.example/prometheus"},
    "underscore": {"url": "http://prom_1:9090"},
    "basic auth": {"auth": BASIC},
    "no check of the certificate": {"tls": {"insecureSkipVerify": True}},
    "null is absent": {"auth": None, "tls": None, "tenantLabel": None},
    "unknown field of a newer version": {"later": 1},
}


@pytest.mark.parametrize("spec", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(spec: dict[str, Any]) -> None:
    parse(**spec)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no scheme": ({"url": "prometheus:9090"}, "spec.url: url must be http:// or https://"),
    "other scheme": ({"url": "file:///etc/passwd"}, "spec.url: url must be"),
    "user name": ({"url": "http://me:secret@prom:9090"}, "no user name"),
    "query": ({"url": "http://prom?x=1"}, "spec.url: url must be"),
    "fragment": ({"url": "http://prom/#x"}, "spec.url: url must be"),
    "space": ({"url": "http://prom /"}, "spec.url: url must be"),
    "line break": ({"url": "http://prom/\n"}, "spec.url: url must be"),
    "long": ({"url": "http://" + "a" * 2048}, "spec.url: .*at most 2048"),
    "missing": ({"url": None}, "spec.url"),
    "two credentials": ({"auth": TOKEN | BASIC}, "spec.auth: auth must have exactly one of"),
    "no credential": ({"auth": {}}, "spec.auth: auth must have exactly one of"),
    "tls on http": ({"url": "http://prom", "tls": CA}, "spec: tls needs a url that begins with https://"),
    "authority unused": ({"tls": CA | {"insecureSkipVerify": True}}, "spec.tls: tls cannot have both"),
    "every and one": ({"namespaces": {"names": ["*", "shop"]}}, "spec.namespaces: names must not mix"),
    "no namespace": ({"namespaces": {"names": []}}, r"spec.namespaces.names: .*at least 1"),
    "namespace twice": ({"namespaces": {"names": ["shop", "shop"]}}, "names must not contain a namespace twice"),
    "bad namespace": ({"namespaces": {"names": ["Shop"]}}, r"spec.namespaces.names\[0\]"),
    "bad label": ({"tenantLabel": {"name": "a-b"}}, "spec.tenantLabel.name"),
    "metric name as label": ({"tenantLabel": {"name": "__name__"}}, "cannot be __name__"),
    "slow": ({"limits": {"timeoutSeconds": 61}}, "spec.limits.timeoutSeconds: .*60"),
    "huge": ({"limits": {"maxBytes": 2**30}}, "spec.limits.maxBytes: .*67108864"),
    "wrong type": ({"limits": {"maxSeries": "many"}}, "spec.limits.maxSeries: .*integer"),
}


@pytest.mark.parametrize(("spec", "says"), REFUSED.values(), ids=REFUSED)
def test_refused(spec: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidSpecError, match=says):
        parse(**spec)


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
            "spec": {"url": URL},
            "status": {"conditions": "not even a list"},
        }
    )
    assert (source.metadata.uid, source.metadata.generation, source.metadata.annotations) == ("u", 3, {"a": "b"})
