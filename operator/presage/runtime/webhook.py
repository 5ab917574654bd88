"""The webhook's server: on both replicas, by the certificate that stands in the Secret.

It listens once there is a certificate. A new one is shown to the next connection; those that are open go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import tempfile
from pathlib import Path

import structlog
from aiohttp import web

from presage.adapters.kube import KubeClient, KubeError
from presage.adapters.kube_json import object_at
from presage.adapters.kube_path import SECRETS
from presage.core.recording.admission import Telemetry
from presage.core.recording.review import MAX_BYTES, answer_review
from presage.runtime.certificates import CERTIFICATE, KEY, SECRET, decode
from presage.runtime.settings import Settings

log = structlog.get_logger()

PATH = "/inject"
_LOOK_S = 2.0  # while there is no certificate: the leader waits for the server
_RELOOK_S = 10.0


class WebhookServer:
    """Answers admission reviews.

    Args:
        client: Reads the Secret.
        settings: Of the process.
        host: Address to listen on; the API server comes from outside the pod.
    """

    def __init__(
        self,
        client: KubeClient,
        settings: Settings,
        host: str = "0.0.0.0",  # noqa: S104
    ) -> None:
        self._client, self._settings, self._host = client, settings, host
        self._telemetry = Telemetry(settings.injection_export_interval_seconds, settings.injection_otlp_endpoint)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._shown: bytes | None = None
        self._told: str | None = None
        app = web.Application(client_max_size=MAX_BYTES)
        app.router.add_post(PATH, self._review)
        self._runner = web.AppRunner(app, access_log=None, keepalive_timeout=60)

    async def run(self) -> None:
        """Serve, forever."""
        await self._runner.setup()
        try:
            while True:
                self._tell(await self._refresh())
                await asyncio.sleep(_LOOK_S if self._shown is None else _RELOOK_S)
        finally:
            await self._runner.cleanup()

    async def _refresh(self) -> str | None:
        """Show the certificate of the Secret, and listen; return what stands in the way."""
        try:
            data = object_at(await self._client.get(SECRETS, SECRET, self._settings.namespace), "data")
        except KubeError as error:
            return f"the Secret {SECRET} cannot be read: {error}"
        certificate, key = decode(data, CERTIFICATE), decode(data, KEY)
        if not certificate or not key:
            return None  # nobody needs the webhook yet
        if certificate == self._shown:
            return None
        try:
            await asyncio.to_thread(_load, self._context, certificate, key)
            if self._shown is None:
                port = self._settings.injection_webhook_port
                await web.TCPSite(self._runner, self._host, port, ssl_context=self._context).start()
        except ssl.SSLError as error:
            return f"the certificate in the Secret {SECRET} cannot be used: {error.reason}"
        except OSError as error:
            return f"cannot listen on PRESAGE_INJECTION_WEBHOOK_PORT={port}: {error.strerror}. Remedy: set another port"
        self._shown = certificate
        log.info("webhook.serving", port=self._runner.addresses[0][1])
        return None

    def _tell(self, trouble: str | None) -> None:
        if trouble and trouble != self._told:
            log.warning("webhook.trouble", trouble=trouble)
        self._told = trouble

    async def _review(self, request: web.Request) -> web.Response:
        answer = answer_review(await request.read(), self._telemetry)  # too large: aiohttp answers 413
        return web.json_response(answer) if answer else web.Response(status=400, text="this is no AdmissionReview")


def _load(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Load a pair; `ssl` takes files only, so it passes through one that nobody else may read."""
    descriptor, name = tempfile.mkstemp()
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(certificate + b"\n" + key)
        context.load_cert_chain(name)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
