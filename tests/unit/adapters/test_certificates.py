from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path

import pytest

from presage.adapters.certificates import make_pair, read_validity, take_first
from presage.adapters.tls import set_strictness

NOW = 1_800_000_000.0


def test_what_is_made_can_be_read() -> None:
    pair = make_pair({"presage-webhook.space.svc", "127.0.0.1"}, NOW, 3600)
    validity = read_validity(pair.certificate)
    assert validity is not None
    assert (validity.made_at, validity.ends_at) == (NOW, NOW + 3600)
    assert validity.names == {"presage-webhook.space.svc", "127.0.0.1"}
    assert take_first(pair.authority + b"more") == pair.authority


@pytest.mark.parametrize("pem", [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_garbage_is_none(pem: bytes) -> None:
    assert read_validity(pem) is None
    assert take_first(pem) == b""


def test_an_authority_names_nobody() -> None:
    """It has no names, so it is never taken for a certificate to serve."""
    assert read_validity(make_pair({"a"}, NOW, 3600).authority) is None


@pytest.mark.parametrize("trusted", ["both", "old", "new"])
async def test_strict_clients_accept_it_by_any_authority_that_signed_it(tmp_path: Path, trusted: str) -> None:
    old, new = (make_pair({"127.0.0.1"}, time.time(), 3600) for _ in range(2))
    (tmp_path / "pair.pem").write_bytes(new.certificate + new.key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "pair.pem")
    authorities = {"both": new.authority + old.authority, "old": old.authority, "new": new.authority}[trusted]
    client = set_strictness(ssl.create_default_context(cadata=authorities.decode()), strict=True)
    listening = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=server)
    port = listening.sockets[0].getsockname()[1]
    try:
        if trusted == "old":
            with pytest.raises(ssl.SSLCertVerificationError):
                await asyncio.open_connection("127.0.0.1", port, ssl=client)
        else:
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client)
            writer.close()
    finally:
        listening.close()
