"""Certificates are verified alike on every Python, and a refusal says what to do."""

from __future__ import annotations

import ssl

import pytest
import urllib3

from presage.adapters.tls import build_ssl_context, explain_tls


@pytest.mark.parametrize("strict", [True, False])
def test_strictness_is_what_was_asked_for_on_every_python(strict: bool) -> None:
    context = build_ssl_context(strict=strict)
    assert bool(context.verify_flags & ssl.VERIFY_X509_STRICT) is strict
    assert context.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_nothing_is_verified_only_for_those_who_ask() -> None:
    context = build_ssl_context(strict=True, verify=False)
    assert context.verify_mode is ssl.CERT_NONE
    assert not context.check_hostname


def _refused(message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, f"certificate verify failed: {message}")
    error.verify_message = message
    return error


@pytest.mark.parametrize(
    ("message", "strict"),
    [
        ("Missing Authority Key Identifier", True),
        ("Missing Subject Key Identifier", True),
        ("CA cert does not include key usage extension", True),
        ("Basic Constraints of CA cert not marked critical", True),
        ("self-signed certificate in certificate chain", False),
        ("certificate has expired", False),
    ],
)
def test_a_refused_certificate_is_explained(message: str, strict: bool) -> None:
    explained = explain_tls(urllib3.exceptions.SSLError(_refused(message)))
    assert explained is not None
    assert message in explained
    assert ("Python 3.13" in explained) is strict
    assert ("PRESAGE_STRICT_CERTIFICATES" in explained) is strict


def test_other_errors_are_not_about_certificates() -> None:
    assert explain_tls(urllib3.exceptions.ProtocolError("dropped", OSError("reset"))) is None
