"""Settings out of the environment."""

from __future__ import annotations

import pytest

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
