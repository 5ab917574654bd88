"""Keeps new pods injected: proves by dry runs what is in force, and uses presage's own webhook where nothing else is.

Only the leader does this. The chart makes the webhook's configuration, empty: presage may only fill and empty it, so it
needs no right to create or delete one, and nothing is left when the chart goes.
"""

from __future__ import annotations

import asyncio
import base64
import math
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import structlog

from presage.adapters.kube import Forbidden, KubeClient, KubeError, NotFound, NotLeader
from presage.adapters.kube_json import list_at
from presage.adapters.kube_path import PODS, WEBHOOKS
from presage.core.recording.injection import Mechanism
from presage.core.recording.marks import LABEL
from presage.core.recording.proof import PROOF_LABEL, Candidate, InjectionState, build_proof, is_injected
from presage.core.recording.review import API_VERSION
from presage.observability.metrics import Metrics
from presage.runtime.certificates import Certificates
from presage.runtime.settings import Settings
from presage.runtime.webhook import PATH

log = structlog.get_logger()

CONFIGURATION = "presage-injection"
_HOOK = "injection.presage.dev"
_MANAGER = "presage-injection"
_TRIES = 8  # the API server takes up a policy, and both replicas a certificate, within seconds
_TRY_PAUSE_S = 2.0
_REMEDY = "apply the chart with injection.enabled=true"
_DOUBT_S = 60.0  # until the next look while pods are not injected, or it is not known

_MESSAGES: dict[Mechanism, str] = {
    "Policy": "A dry run shows that the admission policy injects new pods.",
    "Webhook": "A dry run shows that presage's webhook injects new pods.",
    "None": "A dry run shows that new pods are not injected. Remedy: see docs/injection.md, Troubleshooting.",
}


class InjectionKeeper:
    """Answers the port `Injection`, and keeps the webhook's configuration.

    Args:
        client: Fenced client: it writes only while the Lease is held.
        settings: Of the process.
        metrics: Shows the state.
        now: Epoch seconds.
    """

    def __init__(
        self, client: KubeClient, settings: Settings, metrics: Metrics, now: Callable[[], float] = time.time
    ) -> None:
        self._client, self._settings, self._now = client, settings, now
        off = settings.injection_check_seconds == 0
        message = "Injection is switched off." if off else "Not looked at yet."
        self._state = InjectionState("None" if off else "Unknown", now(), message)
        names, life_s = _list_names(settings), settings.injection_certificate_hours * 3600
        self._certificates = Certificates(client, settings.namespace, names, life_s, now)
        metrics.watch_value("presage_injection_in_force", self._gauge)

    def mechanism(self) -> Mechanism:
        """Return by what new pods are injected, as last proven."""
        return self._state.mechanism

    def state(self) -> InjectionState:
        """Return what was last found, since when it holds, and in words."""
        return self._state

    def _gauge(self) -> float:
        mechanism = self._state.mechanism
        return math.nan if mechanism == "Unknown" else float(mechanism != "None")

    async def run(self) -> None:
        """Look again and again, forever; not at all where injection is switched off."""
        while period_s := self._settings.injection_check_seconds:
            await self.look()
            doubtful = self._state.mechanism in ("None", "Unknown")
            await asyncio.sleep(min(period_s, _DOUBT_S) if doubtful else period_s)
        await asyncio.Event().wait()

    async def look(self) -> None:
        """Prove what is in force, and change over where that has to be."""
        try:
            mechanism, trouble = await self._settle()
            self._set(mechanism, _MESSAGES[mechanism] + trouble)
        except NotLeader:
            return
        except KubeError as error:
            remedy = f" Remedy: {_REMEDY}." if isinstance(error, Forbidden | NotFound) else ""
            self._set("Unknown", f"Whether new pods are injected cannot be proven: {error}.{remedy}")

    async def _settle(self) -> tuple[Mechanism, str]:
        """Return what is in force, once the webhook is used or left as it should be, and what stood in the way."""
        mode = self._settings.injection_webhook
        # Of a policy that was in force, or that may just have come with the chart, one miss proves nothing.
        patient = mode == "Auto" and self._state.mechanism in ("Policy", "Unknown")
        by_policy = await self._prove("Policy", _TRIES if patient else 1)
        wanted = mode == "Always" or (mode == "Auto" and not by_policy)
        trouble, changed = "", False
        try:
            changed = await (self._use_webhook() if wanted else self._leave_webhook())
        except NotLeader:
            raise
        except KubeError as error:  # what works goes on working
            trouble = f" What the webhook needs cannot be read or written: {error}. Remedy: {_REMEDY}."
        if by_policy:
            return "Policy", trouble
        by_webhook = wanted and await self._prove("Webhook", _TRIES if changed else 2)
        return ("Webhook" if by_webhook else "None"), trouble

    async def _prove(self, candidate: Candidate, tries: int) -> bool:
        for left in reversed(range(tries)):
            if is_injected(await self._client.try_create(PODS, build_proof(candidate), self._settings.namespace)):
                return True
            if left:
                await asyncio.sleep(_TRY_PAUSE_S)
        return False

    async def _use_webhook(self) -> bool:
        """Fill the configuration; return whether it was empty, or trusted others."""
        bundle = b""
        if self._settings.injection_certificate == "SelfManaged":
            bundle = await self._certificates.renew()
        present = list_at(await self._client.get(WEBHOOKS, CONFIGURATION), "webhooks")
        wanted = build_webhook(self._settings, bundle)
        await self._client.apply(WEBHOOKS, CONFIGURATION, {"webhooks": [wanted]}, field_manager=_MANAGER)
        return not present or bundle != _read_bundle(present)

    async def _leave_webhook(self) -> bool:
        """Empty the configuration, if there is one; return whether it was not empty."""
        try:
            found = await self._client.get(WEBHOOKS, CONFIGURATION)
        except (Forbidden, NotFound):
            return False  # nothing of ours is there
        if left := bool(list_at(found, "webhooks")):
            await self._client.apply(WEBHOOKS, CONFIGURATION, {}, field_manager=_MANAGER)
            log.info("webhook.left")
        return left

    def _set(self, mechanism: Mechanism, message: str) -> None:
        before = self._state
        since = before.since if before.mechanism == mechanism else self._now()
        self._state = InjectionState(mechanism, since, message)
        if (before.mechanism, before.message) != (mechanism, message):
            log.info("injection.proven", mechanism=mechanism, message=message)


def build_webhook(settings: Settings, bundle: bytes) -> dict[str, object]:
    """Return the entry of the configuration.

    Args:
        settings: Of the process.
        bundle: Authorities to trust, as PEM; empty leaves them to cert-manager.
    """
    service = {"namespace": settings.namespace, "name": settings.injection_webhook_service, "path": PATH}
    url = settings.injection_webhook_url
    place: dict[str, object] = {"url": url.rstrip("/") + PATH} if url else {"service": service}
    if bundle:
        place["caBundle"] = base64.b64encode(bundle).decode()
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    return {
        "name": _HOOK,
        "admissionReviewVersions": [API_VERSION.rpartition("/")[2]],
        "clientConfig": place,
        "rules": [{**rule, "scope": "Namespaced"}],
        "objectSelector": {
            "matchExpressions": [
                {"key": LABEL, "operator": "Exists"},
                {"key": PROOF_LABEL, "operator": "NotIn", "values": ["policy"]},
            ]
        },
        "failurePolicy": "Ignore",  # never may presage keep a pod from starting
        "matchPolicy": "Equivalent",
        "reinvocationPolicy": "Never",  # a container that another webhook adds later is not the user's function
        "sideEffects": "None",
        "timeoutSeconds": 2,
    }


def _list_names(settings: Settings) -> frozenset[str]:
    """Return the names by which the API server calls the webhook."""
    if settings.injection_webhook_url:
        return frozenset({urlsplit(settings.injection_webhook_url).hostname or ""})
    return frozenset({f"{settings.injection_webhook_service}.{settings.namespace}.svc"})


def _read_bundle(webhooks: list[object]) -> bytes:
    found = next((each for each in webhooks if isinstance(each, dict) and each.get("name") == _HOOK), {})
    return base64.b64decode(str((found.get("clientConfig") or {}).get("caBundle") or ""))
