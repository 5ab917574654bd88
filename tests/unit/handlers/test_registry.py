"""What kopf is told: events of every kind reach the intake, and the certificate setting reaches kopf too."""

from __future__ import annotations

import ssl

import kopf
import pytest

from presage.handlers.registry import build_login
from presage.handlers.settings import build_settings
from presage.runtime.deletion import FINALIZER


@pytest.mark.parametrize("strict", [True, False], ids=["strict", "relaxed"])
def test_certificate_rules_reach_kopf_on_every_python(monkeypatch: pytest.MonkeyPatch, strict: bool) -> None:
    info = kopf.ConnectionInfo(server="https://example", token="t", default_namespace="n")  # noqa: S106  # no secret
    monkeypatch.setattr(kopf, "login_with_service_account", lambda **_: info)
    found = build_login(strict=strict)()
    assert found is not None
    assert (found.server, found.token, found.default_namespace) == ("https://example", "t", "n")
    context = found.as_ssl_context()
    assert bool(context.verify_flags & ssl.VERIFY_X509_STRICT) is strict
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_no_way_in_is_no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    for way in ("login_with_service_account", "login_with_kubeconfig"):
        monkeypatch.setattr(kopf, way, lambda **_: None)
    assert build_login(strict=False)() is None


def test_kopf_keeps_to_itself() -> None:
    settings = build_settings()
    assert settings.posting.enabled is False, "log lines are no events"
    assert settings.scanning.disabled is True, "no rights on CRDs and namespaces are asked for"
    assert settings.persistence.finalizer != FINALIZER, "kopf takes its own off wherever none of its handlers needs it"
    assert settings.watching.server_timeout, "a stream that froze must end"
