"""The webhook's certificate in its Secret: made, renewed with overlapping authorities, and read.

The chart makes the Secret, empty; presage may only read and fill it. Keys: `tls.crt` and `tls.key` are served, `ca.crt`
holds the authorities to trust, the newest first, and `next.crt`, `next.key` the pair that follows.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping

import structlog

from presage.adapters.certificates import Pair, make_pair, read_validity, take_first
from presage.adapters.kube import KubeClient
from presage.adapters.kube_json import object_at, text_at
from presage.adapters.kube_path import SECRETS
from presage.core.recording.certificate import Step, plan_step

log = structlog.get_logger()

SECRET = "presage-injection"  # noqa: S105  # a name
CERTIFICATE, KEY, AUTHORITIES = "tls.crt", "tls.key", "ca.crt"
_NEXT_CERTIFICATE, _NEXT_KEY = "next.crt", "next.key"
_MANAGER = "presage-injection"

Data = dict[str, bytes]


def decode(data: Mapping[str, object], key: str) -> bytes:
    """Return one key of a Secret's data; empty if it is not there or is no base64."""
    try:
        return base64.b64decode(text_at(data, key) or "", validate=True)
    except (binascii.Error, ValueError):
        return b""


class Certificates:
    """Keeps the Secret's certificate valid.

    Args:
        client: Fenced client: it writes only while the Lease is held.
        namespace: Of the Secret.
        names: DNS names and addresses by which the API server calls the webhook.
        life_s: Seconds that a certificate is valid.
        now: Epoch seconds.
    """

    def __init__(
        self, client: KubeClient, namespace: str, names: frozenset[str], life_s: float, now: Callable[[], float]
    ) -> None:
        self._client, self._namespace = client, namespace
        self._names, self._life_s, self._now = names, life_s, now

    async def renew(self) -> bytes:
        """Do what is due and return the authorities to trust, as PEM.

        Raises:
            KubeError: If the Secret cannot be read or written.
        """
        data = object_at(await self._client.get(SECRETS, SECRET, self._namespace), "data")
        serving = read_validity(decode(data, CERTIFICATE))
        step = plan_step(serving, read_validity(decode(data, _NEXT_CERTIFICATE)), self._names, self._now())
        if step == "Keep":
            return decode(data, AUTHORITIES)
        wanted = self._build(step, data)
        body = {"data": {key: base64.b64encode(value).decode() for key, value in wanted.items()}}
        await self._client.apply(SECRETS, SECRET, body, namespace=self._namespace, field_manager=_MANAGER)
        log.info("webhook.certificate", step=step)
        return wanted[AUTHORITIES]

    def _build(self, step: Step, data: Mapping[str, object]) -> Data:
        """Return the Secret's data after a step."""
        kept = {key: decode(data, key) for key in (CERTIFICATE, KEY, AUTHORITIES)}
        if step == "Promote":
            return {
                CERTIFICATE: decode(data, _NEXT_CERTIFICATE),
                KEY: decode(data, _NEXT_KEY),
                AUTHORITIES: kept[AUTHORITIES],
            }
        fresh: Pair = make_pair(self._names, self._now(), self._life_s)
        trusted = fresh.authority + take_first(kept[AUTHORITIES])  # a replica may show the present one for a while
        if step == "Begin":
            return {CERTIFICATE: fresh.certificate, KEY: fresh.key, AUTHORITIES: trusted}
        return {**kept, AUTHORITIES: trusted, _NEXT_CERTIFICATE: fresh.certificate, _NEXT_KEY: fresh.key}
