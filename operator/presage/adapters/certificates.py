"""Certificates of presage's webhook, made and read by the library `cryptography`."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from presage.core.recording.certificate import Validity

_BACKDATED_S = 300  # for clocks that are behind


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with its key, and the authority that signed it; all as PEM."""

    authority: bytes
    certificate: bytes
    key: bytes


def make_pair(names: Iterable[str], now: float, life_s: float) -> Pair:
    """Return a new certificate for servers, by an authority of its own whose key is not kept.

    Args:
        names: DNS names and IP addresses.
        now: Epoch second.
        life_s: Seconds that it is valid.
    """
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"presage-injection-{int(now)}")])
    issuer_id = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
    authority = (
        _begin(issuer, authority_key.public_key(), now, life_s)
        .issuer_name(issuer)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(issuer_id, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "presage-injection")])
    certificate = (
        _begin(subject, key.public_key(), now, life_s)
        .issuer_name(issuer)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in sorted(names)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_id), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    written = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Pair(authority.public_bytes(pem), certificate.public_bytes(pem), written)


def read_validity(pem: bytes) -> Validity | None:
    """Return when a certificate is valid and for which names; None if it is none, or no PEM."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        return None
    return Validity(
        made_at=certificate.not_valid_before_utc.timestamp() + _BACKDATED_S,
        ends_at=certificate.not_valid_after_utc.timestamp(),
        names=frozenset(
            [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
        ),
    )


def take_first(pem: bytes) -> bytes:
    """Return the first of several certificates as PEM; empty if there is none that can be read."""
    try:
        return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.PEM)
    except ValueError:
        return b""


def _begin(subject: x509.Name, key: ec.EllipticCurvePublicKey, now: float, life_s: float) -> x509.CertificateBuilder:
    start = datetime.datetime.fromtimestamp(int(now) - _BACKDATED_S, datetime.UTC)
    end = datetime.datetime.fromtimestamp(int(now + life_s), datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
