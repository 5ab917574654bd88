"""Which mechanism is proven, and what is done about it; against an API server that is played."""

from __future__ import annotations

import asyncio
import base64
import math
from dataclasses import dataclass, field
from typing import Any

import pytest

from presage.adapters.certificates import read_validity
from presage.adapters.kube import Forbidden, KubeError, NotFound, NotLeader, Unavailable
from presage.core.recording.admission import Telemetry, build_patch
from presage.core.recording.proof import PROOF_LABEL
from presage.core.resource_type import ResourceType
from presage.observability.metrics import Metrics
from presage.runtime import injection
from presage.runtime.injection import InjectionKeeper
from presage.runtime.settings import Settings
from tests.unit.core.recording.test_admission import apply


@dataclass
class Server:
    """An API server with a policy that works or not, and a webhook that works once it is configured and up."""

    policy: bool = True
    webhook: bool = True
    webhooks: list[dict[str, Any]] = field(default_factory=list)
    secret: dict[str, str] = field(default_factory=dict)
    refusal: KubeError | None = None
    lacking: KubeError | None = None
    written: list[str] = field(default_factory=list)
    tries: int = 0

    async def try_create(self, resource: ResourceType, body: dict[str, Any], namespace: str) -> dict[str, Any]:
        self.tries += 1
        if self.refusal:
            raise self.refusal
        candidate = body["metadata"]["labels"][PROOF_LABEL]
        works = self.policy if candidate == "policy" else self.webhook and bool(self.webhooks)
        return apply(body, build_patch(body, namespace, Telemetry())) if works else body

    async def get(self, resource: ResourceType, name: str, namespace: str | None = None) -> dict[str, Any]:
        assert name == "presage-injection"
        if self.lacking:
            raise self.lacking
        return {"data": self.secret} if resource.kind == "Secret" else {"webhooks": self.webhooks}

    async def apply(self, resource: ResourceType, name: str, body: dict[str, Any], **_: object) -> dict[str, Any]:
        self.written.append(resource.kind)
        if resource.kind == "Secret":
            self.secret = body["data"]
        else:
            self.webhooks = body.get("webhooks", [])
        return {}


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(injection, "_TRY_PAUSE_S", 0.0)


def keeper(server: Server, mode: str = "Auto", clock: Clock | None = None, **settings: object) -> InjectionKeeper:
    given = Settings.model_validate({"injection_webhook": mode, **settings})
    return InjectionKeeper(server, given, Metrics(), clock or Clock())  # type: ignore[arg-type]


FOUND = {
    "policy": (Server(), "Auto", "Policy", []),
    "policy, and a webhook left from before": (Server(webhooks=[{"name": "w"}]), "Auto", "Policy", ["Mutating"]),
    "no policy": (Server(policy=False), "Auto", "Webhook", ["Secret", "Mutating"]),
    "no policy, no webhook wanted": (Server(policy=False), "Never", "None", []),
    "no policy, webhook out of reach": (Server(policy=False, webhook=False), "Auto", "None", ["Secret", "Mutating"]),
    "policy, and the webhook always": (Server(), "Always", "Policy", ["Secret", "Mutating"]),
}


@pytest.mark.parametrize(("server", "mode", "want", "written"), FOUND.values(), ids=FOUND)
async def test_what_is_found_and_done(server: Server, mode: str, want: str, written: list[str]) -> None:
    kept = keeper(server, mode)
    await kept.look()
    assert kept.mechanism() == want
    assert [kind.removesuffix("WebhookConfiguration") for kind in server.written] == written
    assert "dry run" in kept.state().message


async def test_a_policy_that_comes_takes_the_webhooks_place_and_goes_again() -> None:
    server, clock = Server(policy=False), Clock()
    kept = keeper(server, clock=clock)
    await kept.look()
    began = kept.state().since
    clock.now += 600
    await kept.look()
    assert (kept.mechanism(), kept.state().since) == ("Webhook", began)
    server.policy = True
    await kept.look()
    assert (kept.mechanism(), server.webhooks, kept.state().since) == ("Policy", [], clock.now)
    server.policy = False
    await kept.look()
    assert kept.mechanism() == "Webhook"


async def test_one_miss_of_a_policy_proves_nothing() -> None:
    class Late(Server):
        async def try_create(self, *given: Any) -> dict[str, Any]:
            self.policy = self.tries >= 3
            return await super().try_create(*given)

    server = Late()
    kept = keeper(server)
    await kept.look()
    assert (kept.mechanism(), server.written) == ("Policy", [])


@pytest.mark.parametrize("error", [Forbidden("pods is forbidden"), Unavailable("no answer")])
async def test_what_cannot_be_tried_changes_nothing(error: KubeError) -> None:
    server = Server(refusal=error, webhooks=[{"name": "w"}])
    kept = keeper(server)
    await kept.look()
    assert (kept.mechanism(), server.written) == ("Unknown", [])
    assert str(error) in kept.state().message


@pytest.mark.parametrize("policy", [True, False])
async def test_without_what_the_chart_makes_the_policy_works_and_the_webhook_is_asked_for(policy: bool) -> None:
    server = Server(policy=policy, lacking=NotFound("no Secret"))
    kept = keeper(server, "Always")
    await kept.look()
    assert (kept.mechanism(), server.written) == ("Policy" if policy else "None", [])
    assert "no Secret. Remedy: apply the chart" in kept.state().message


async def test_a_replica_that_lost_the_lease_keeps_quiet() -> None:
    kept = keeper(Server(refusal=NotLeader("lost")))
    before = kept.state()
    await kept.look()
    assert kept.state() == before


async def test_the_certificate_changes_in_two_steps() -> None:
    server, clock = Server(policy=False), Clock()
    kept = keeper(server, clock=clock, injection_certificate_hours=24, injection_webhook_url="https://127.0.0.1:1")
    bundles, shown = [], []
    for _ in range(12 * 24):
        await kept.look()
        bundles.append(base64.b64decode(server.webhooks[0]["clientConfig"]["caBundle"]))
        certificate = base64.b64decode(server.secret["tls.crt"])
        shown.append(certificate)
        validity = read_validity(certificate)
        assert validity is not None
        assert validity.made_at <= clock.now < validity.ends_at
        clock.now += 300
    changes = [i for i in range(1, len(shown)) if shown[i] != shown[i - 1]]
    trusted = [i for i in range(1, len(bundles)) if bundles[i] != bundles[i - 1]]
    assert len(changes) >= 1
    assert all(change - when >= 1 for change, when in zip(changes, trusted, strict=False)), "trusted first"
    assert max(bundle.count(b"BEGIN CERTIFICATE") for bundle in bundles) == 2


async def test_cert_manager_is_left_the_certificate() -> None:
    server = Server(policy=False)
    kept = keeper(server, injection_certificate="CertManager")
    await kept.look()
    assert kept.mechanism() == "Webhook"
    assert server.written == ["MutatingWebhookConfiguration"]
    config = server.webhooks[0]["clientConfig"]
    assert config == {"service": {"namespace": "presage-system", "name": "presage-webhook", "path": "/inject"}}


async def test_switched_off_nothing_is_tried() -> None:
    server = Server()
    kept = keeper(server, injection_check_seconds=0)
    running = asyncio.ensure_future(kept.run())
    await asyncio.sleep(0.05)
    running.cancel()
    assert (server.tries, kept.mechanism()) == (0, "None")


async def test_the_metric_says_what_is_known() -> None:
    server, metrics = Server(refusal=Unavailable("no answer")), Metrics()
    kept = InjectionKeeper(server, Settings(injection_webhook="Auto"), metrics)  # type: ignore[arg-type]

    async def value() -> float:
        await kept.look()
        (line,) = (
            line for line in (await metrics.render()).decode().splitlines() if line.startswith("presage_injection_in")
        )
        return float(line.split()[1])

    assert math.isnan(await value())
    server.refusal = None
    assert await value() == 1
    server.policy = server.webhook = False
    assert await value() == 0
