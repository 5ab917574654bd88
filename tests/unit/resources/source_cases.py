"""MetricSources that the schema lets through and that it refuses, for the models and for the API server."""

from __future__ import annotations

from typing import Any

from tests.unit.resources.cases import Changes, Refused, changed

URL = "https://prometheus.example:9090"
TOKEN = {"bearerTokenSecretRef": {"name": "prom", "key": "token"}}
BASIC = {"basicAuthSecretRef": {"name": "prom"}}
CA = {"caSecretRef": {"name": "prom", "key": "ca.crt"}}


def tier(name: str, url: str = "", **more: Any) -> dict[str, Any]:
    """Return the server of one tier."""
    return {"name": name, "url": url or f"http://prometheus-{name}:9090", **more}


TIERS = {"backend": "Prometheus", "tiers": [tier("2h"), tier("15d", granularitySeconds=60)]}

_SOURCE: dict[str, Any] = {"url": URL}


def source(changes: Changes | None = None, name: str = "main") -> dict[str, Any]:
    """Return a MetricSource with some fields changed."""
    return {
        "apiVersion": "presage.dev/v1alpha1",
        "kind": "MetricSource",
        "metadata": {"name": name},
        "spec": changed(_SOURCE, changes or {}),
    }


SOURCES_ACCEPTED: dict[str, Changes] = {
    "as it is": {},
    "host and port": {"url": "http://prometheus.monitoring.svc:9090"},
    "IPv4": {"url": "http://10.0.0.1:9090/"},
    "IPv6": {"url": "http://[fd00::1]:9090"},
    "path": {"url": "https://mimir.example/prometheus"},
    "underscore": {"url": "http://prom_1:9090"},
    "token": {"auth": TOKEN},
    "basic auth": {"auth": BASIC | {"bearerTokenSecretRef": None}},
    "no check of the certificate": {"tls": {"insecureSkipVerify": True}},
    "authority": {"tls": CA},
    "every namespace": {"namespaces": {"names": ["*"]}},
    "some namespaces": {"namespaces": {"names": ["shop", "payments"]}},
    "tenant": {"tenantLabel": {"name": "ns", "value": "shop"}},
    "retention": {"retention": TIERS},
    "a tier for series without the label": {"retention": TIERS | {"defaultTier": "15d"}},
    "one retention": {"retention": {"backend": "Other"}},
    "one retention, tiers left from before": {"retention": TIERS | {"backend": "Other"}},
    "days and weeks on VictoriaMetrics": {
        "retention": {"backend": "VictoriaMetrics", "tiers": [tier("1d"), tier("52w")]},
    },
    "null is absent": {"auth": None, "tls": None, "tenantLabel": None},
    "unknown field of a newer version": {"later": 1},
}

_BAD_URL = "spec.url: .*url must be http:// or https://"
_ONE_CREDENTIAL = "spec.auth: .*auth must have exactly one of bearerTokenSecretRef and basicAuthSecretRef"

SOURCES_REFUSED: dict[str, Refused] = {
    "no scheme": Refused({"url": "prometheus:9090"}, _BAD_URL),
    "other scheme": Refused({"url": "file:///etc/passwd"}, _BAD_URL),
    "user name": Refused({"url": "http://me:secret@prom:9090"}, _BAD_URL),
    "query": Refused({"url": "http://prom?x=1"}, _BAD_URL),
    "fragment": Refused({"url": "http://prom/#x"}, _BAD_URL),
    "space": Refused({"url": "http://prom /"}, _BAD_URL),
    "line break": Refused({"url": "http://prom/\n"}, _BAD_URL),
    "long": Refused({"url": "http://" + "a" * 2048}, "spec.url: .*at most 2048", "spec.url: Too long: .*2048"),
    "missing": Refused({"url": None}, "spec.url"),
    "two credentials": Refused({"auth": TOKEN | BASIC}, _ONE_CREDENTIAL),
    "no credential": Refused({"auth": {}}, _ONE_CREDENTIAL),
    "tls on http": Refused({"url": "http://prom", "tls": CA}, "spec: .*tls needs a url that begins with https://"),
    "authority unused": Refused({"tls": CA | {"insecureSkipVerify": True}}, "spec.tls: .*tls cannot have both"),
    "every and one": Refused({"namespaces": {"names": ["*", "shop"]}}, "spec.namespaces: .*names must not mix"),
    "no namespace": Refused({"namespaces": {"names": []}}, r"spec.namespaces.names: .*at least 1"),
    "namespace twice": Refused(
        {"namespaces": {"names": ["shop", "shop"]}},
        "names must not contain a namespace twice",
        r"spec.namespaces.names\[1\]: Duplicate value",
    ),
    "bad namespace": Refused({"namespaces": {"names": ["Shop"]}}, r"spec.namespaces.names\[0\]"),
    "no tiers": Refused(
        {"retention": {"backend": "Prometheus"}}, "spec.retention: .*tiers must be given, unless backend is Other"
    ),
    "two tiers on one server": Refused(
        {"retention": {"backend": "Prometheus", "tiers": [tier("2h", "http://a:1"), tier("15d", "http://a:1")]}},
        "spec.retention: .*tiers must have a server each",
    ),
    "tier twice": Refused(
        {"retention": {"backend": "Prometheus", "tiers": [tier("2h", "http://a:1"), tier("2h", "http://b:1")]}},
        "tiers must not contain a name twice",
        r"spec.retention.tiers\[1\]: Duplicate value",
    ),
    "hours on VictoriaMetrics": Refused(
        {"retention": {"backend": "VictoriaMetrics", "tiers": [tier("2h")]}},
        "spec.retention: .*tiers of VictoriaMetrics must be days or weeks",
    ),
    "default that is no tier": Refused(
        {"retention": TIERS | {"defaultTier": "1d"}}, "spec.retention: .*defaultTier must be one of tiers"
    ),
    "no duration": Refused({"retention": TIERS | {"tiers": [tier("long")]}}, r"spec.retention.tiers\[0\].name"),
    "two units": Refused({"retention": TIERS | {"tiers": [tier("1h30m")]}}, r"spec.retention.tiers\[0\].name"),
    "address of a tier": Refused(
        {"retention": TIERS | {"tiers": [tier("2h", "http://me:secret@prom")]}},
        r"spec.retention.tiers\[0\].url: .*url must be http:// or https://",
    ),
    "back end unknown": Refused({"retention": TIERS | {"backend": "Influx"}}, "spec.retention.backend"),
    "bad label": Refused({"tenantLabel": {"name": "a-b"}}, "spec.tenantLabel.name"),
    "metric name as label": Refused({"tenantLabel": {"name": "__name__"}}, "a label cannot be __name__"),
    "slow": Refused({"limits": {"timeoutSeconds": 61}}, "spec.limits.timeoutSeconds: .*60"),
    "huge": Refused({"limits": {"maxBytes": 2**30}}, "spec.limits.maxBytes: .*67108864"),
    "wrong type": Refused({"limits": {"maxSeries": "many"}}, "spec.limits.maxSeries: .*integer"),
}
