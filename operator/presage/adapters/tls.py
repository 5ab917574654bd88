"""How certificates are verified, the same on every Python, and what a refused one means in plain words.

Python 3.13 verifies strictly (`ssl.VERIFY_X509_STRICT`): certificates without the formal extensions of RFC 5280 are
refused, which kubectl accepts. Older Pythons do not. So that an upgrade of Python changes nothing, the flag is always
set or taken away here.
"""

from __future__ import annotations

import ssl

_STRICT_FAULTS = (
    "authority key identifier",
    "subject key identifier",
    "key usage",
    "basic constraints",
    "pathlen",
    "empty issuer",
    "empty subject",
    "empty san",
)
_CLOCK_FAULTS = ("not yet valid", "has expired")


def set_strictness(context: ssl.SSLContext, *, strict: bool) -> ssl.SSLContext:
    """Return `context`, with the formal rules of RFC 5280 in force or not; chain and host name are verified in both.

    A trusted authority need not be a root, as for kubectl and for Python from 3.13 on.
    """
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if strict:
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    else:
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def build_ssl_context(*, strict: bool, verify: bool = True, authority_file: str | None = None) -> ssl.SSLContext:
    """Return a context for a client.

    Args:
        strict: See `set_strictness`.
        verify: False verifies nothing, for those who ask for it.
        authority_file: Trust only the authorities in this PEM file; None trusts those of the system.
    """
    context = set_strictness(ssl.create_default_context(cafile=authority_file), strict=strict)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def explain_tls(error: BaseException, whose: str = "the API server's") -> str | None:
    """Say in plain words why a certificate was refused, and the remedy; None if no certificate was.

    Args:
        error: What was raised; the cause may be wrapped in it.
        whose: Begins the sentence.
    """
    refused = _certificate_error(error)
    if refused is None:
        return None
    fault = refused.verify_message or str(refused)
    if any(part in fault.lower() for part in _CLOCK_FAULTS):
        return f"{whose} certificate is not trusted: {fault}: renew it, or set the clock of this machine"
    if not any(part in fault.lower() for part in _STRICT_FAULTS):
        return f"{whose} certificate is not trusted: {fault}"
    return (
        f"{whose} certificate is refused: {fault}. presage verifies strictly, as Python 3.13 and later do; kubectl "
        "does not. Remedy: issue the authority with basicConstraints and keyUsage marked critical and a subject key "
        "identifier, and the server's certificate with an authority key identifier; until then, "
        "PRESAGE_STRICT_CERTIFICATES=false verifies as kubectl does"
    )


def _certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """Find the verification error inside the errors that wrap it."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        current = waiting.pop()
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        if isinstance(current, ssl.SSLCertVerificationError):
            return current
        seen.add(id(current))
        waiting += [*current.args, current.__cause__, current.__context__, getattr(current, "reason", None)]
    return None
