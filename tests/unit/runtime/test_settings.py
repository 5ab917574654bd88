"""Settings out of the environment."""

from __future__ import annotations

import json

import pytest

from presage.core.recording.types import MetricSettings, RecordingProfile
from presage.runtime.settings import SettingsError, read_settings


def test_defaults_and_empty_variables() -> None:
    settings = read_settings({"PRESAGE_WORKERS": "", "OTHER": "1", "PRESAGE_HTTP_PORT": "9"})
    assert (settings.workers, settings.http_port, settings.allow_loopback) == (4, 9, False)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PRESAGE_WORKERS", "many"),
        ("PRESAGE_WORKERS", "0"),
        ("PRESAGE_LOG_LEVEL", "loud"),
        ("PRESAGE_LEASE_RENEW_SECONDS", "8"),
    ],
)
def test_a_bad_value_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        read_settings({variable: value})


OWN = [{"name": "Standard", "metrics": [{"name": "latency", "everyEvents": 20, "attributes": ["route"]}]}]


def test_the_shared_catalogue() -> None:
    assert read_settings({}).profiles == ()
    (profile,) = read_settings({"PRESAGE_PROFILES": json.dumps(OWN)}).profiles
    want = RecordingProfile("Standard", {"latency": MetricSettings(20, ("route",), "15d")}, 60)
    assert profile.to_core() == want


@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param("[{", "PRESAGE_PROFILES: this is not JSON", id="cut off"),
        pytest.param("[" * 100_000, "PRESAGE_PROFILES: this is not JSON", id="deep"),
        pytest.param("{}", "PRESAGE_PROFILES: ", id="no list"),
        pytest.param(json.dumps(OWN * 2), "profiles must not contain a name twice", id="twice"),
        pytest.param(
            json.dumps([{"name": "Own", "metrics": [{"name": "events"}]}]),
            r"PRESAGE_PROFILES\[0\].metrics\[0\].name: a metric cannot be named events",
            id="a name that is taken",
        ),
        pytest.param(
            json.dumps([{"name": "Own", "metrics": [{"name": "a", "everyEvents": 0}]}]),
            r"PRESAGE_PROFILES\[0\].metrics\[0\].everyEvents: ",
            id="none of them",
        ),
    ],
)
def test_a_broken_catalogue_is_named_to_the_place(given: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        read_settings({"PRESAGE_PROFILES": given})
