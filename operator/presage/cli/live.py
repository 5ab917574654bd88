"""A MetricProfile on a cluster, for the commands that look at one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from presage.adapters.kubeconfig_reader import Absent, ClusterReader, ReaderError
from presage.resources.metricprofile import MetricProfile

_NAMES = {MetricProfile.meta.singular, MetricProfile.meta.plural, *MetricProfile.meta.short_names}


def read_profile(reader: ClusterReader, what: str, namespace: str | None) -> Mapping[str, Any]:
    """Return the MetricProfile named `mprof/NAME`.

    Args:
        reader: Of the cluster.
        what: Kind and name.
        namespace: Namespace; None for that of the context.

    Raises:
        ReaderError: If it cannot be read.
    """
    kind, _, name = what.partition("/")
    if kind.lower() not in _NAMES or not name or "/" in name:
        raise ReaderError(f"{what[:64]!r} is not mprof/NAME", 2)
    where = namespace or reader.namespace
    try:
        return reader.find(MetricProfile.meta.resource, name, where)
    except Absent:
        raise ReaderError(
            f"there is no MetricProfile {name} in namespace {where} (presage check tells whether the CRDs are there)", 2
        ) from None
