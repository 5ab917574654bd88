"""The names by which an injected pod, its function and presage find each other; other SDKs rely on them."""

from __future__ import annotations

LABEL = "presage.dev/profile"
"""On a pod template, set once by the user: its value is the MetricProfile's name."""

GENERATION_ANNOTATION = "presage.dev/recording-generation"
"""On a pod, written by presage: the kubelet brings a changed ConfigMap at once to a pod that changed."""

VOLUME = "presage-recording"
MOUNT_PATH = "/etc/presage/recording"
FILE_VARIABLE = "PRESAGE_PROFILE_FILE"
POD_VARIABLE = "PRESAGE_POD_NAME"
GENERATION_METRIC = "presage_profile_generation"
"""Gauge that each instance exports: the generation it records by; 0 = none was read."""

PROFILE_SINCE_METRIC = "presage_profile_since_seconds"
"""Gauge beside it: the epoch second since when, by the instance's clock; when recording began if none was read."""

PROFILE_ATTRIBUTE = "metric_profile"
"""On both: name of the MetricProfile whose document that is."""

RETENTION_ATTRIBUTE = "presage_retention"
"""On each series that a function records: the tier that it is kept in."""

EVERY_ATTRIBUTE = "presage_every"
"""On each too: the N of which one event was kept; 1 on exact counts."""

KEPT_ATTRIBUTE = "presage_kept"
"""On sampled series: why an event was kept."""


def config_map_name(profile: str) -> str:
    """Return the name of the ConfigMap that holds the document of a MetricProfile."""
    return f"presage-{profile}"
