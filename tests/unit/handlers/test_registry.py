"""What kopf is told: events of every kind reach the intake, and the certificate setting reaches kopf too."""

from __future__ import annotations

import ssl

import kopf
import pytest

from presage.handlers import registry
from presage.handlers.registry import login_relaxed
from presage.handlers.settings import build_settings
from presage.runtime.deletion import FINALIZER


@pytest.fixture
def strict_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contexts are strict, as Python 3.13 makes them, whatever Python runs the test."""
    make = ssl.create_default_context

    def strict(*args: object, **kwargs: object) -> ssl.SSLContext:
        context = make(*args, **kwargs)  # type: ignore[arg-type]  # handed through
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)


def test_relaxed_certificates_reach_kopf(monkeypatch: pytest.MonkeyPatch, strict_default: None) -> None:
    info = kopf.ConnectionInfo(server="https://example", token="t", default_namespace="n")  # noqa: S106  # no secret
    monkeypatch.setattr(registry, "login", lambda **_: info)
    relaxed = login_relaxed()
    assert relaxed is not None
    assert (relaxed.server, relaxed.token, relaxed.default_namespace) == ("https://example", "t", "n")
    assert info.as_ssl_context().verify_flags & ssl.VERIFY_X509_STRICT
    context = relaxed.as_ssl_context()
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_no_way_in_is_no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "login", lambda **_: None)
    assert login_relaxed() is None


def test_kopf_keeps_to_itself() -> None:
    settings = build_settings()
    assert settings.posting.enabled is False, "log lines are no events"
    assert settings.scanning.disabled is True, "no rights on CRDs and namespaces are asked for"
    assert settings.persistence.finalizer != FINALIZER, "kopf takes its own off wherever none of its handlers needs it"
    assert settings.watching.server_timeout, "a stream that froze must end"
