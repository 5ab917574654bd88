"""Status is written when its meaning changes, and only then."""

from __future__ import annotations

from typing import Any

import pytest

from presage.adapters.kube import NotFound, Unavailable
from presage.core.conditions import Condition
from presage.runtime.status import StatusWriter, strip
from tests.unit.runtime.shop import KEY, PROFILE

READY = (Condition("Ready", "True", "AsSpecified", "", 1),)


class Client:
    """Remembers what was applied, or fails."""

    def __init__(self) -> None:
        self.applied: list[Any] = []
        self.fault: Exception | None = None

    async def apply(self, resource: Any, name: str, body: Any, **options: Any) -> dict[str, object]:
        if self.fault:
            raise self.fault
        assert options["subresource"] == "status"
        assert options["field_manager"] == "presage-status"
        self.applied.append(body["status"])
        return {}


def body(status: Any = None, uid: str = "u") -> dict[str, Any]:
    return {"metadata": {"name": "shop", "namespace": "team", "uid": uid, "generation": 1}, "status": status}


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def writer(client: Client) -> StatusWriter:
    return StatusWriter(client, refresh_s=600)  # type: ignore[arg-type]  # only `apply` is used


async def test_equal_status_is_written_once(writer: StatusWriter, client: Client) -> None:
    for _ in range(3):
        await writer.write(PROFILE, KEY, body(), READY, {"readyReplicas": 2})
    assert len(client.applied) == 1


async def test_volatile_fields_ride_along(writer: StatusWriter, client: Client) -> None:
    await writer.write(PROFILE, KEY, body(), READY, {"scaling": {"desiredReplicas": 2, "explain": "a"}})
    await writer.write(PROFILE, KEY, body(), READY, {"scaling": {"desiredReplicas": 2, "explain": "b"}})
    await writer.write(PROFILE, KEY, body(), READY, {"scaling": {"desiredReplicas": 3, "explain": "c"}})
    assert [status["scaling"]["explain"] for status in client.applied] == ["a", "c"]


async def test_volatile_fields_alone_are_refreshed_rarely(client: Client) -> None:
    impatient = StatusWriter(client, refresh_s=0)  # type: ignore[arg-type]  # only `apply` is used
    for text in ("a", "a", "b"):
        await impatient.write(PROFILE, KEY, body(), READY, {"scaling": {"explain": text}})
    assert [status["scaling"]["explain"] for status in client.applied] == ["a", "b"]


async def test_after_a_restart_nothing_is_written_again(writer: StatusWriter, client: Client) -> None:
    await writer.write(PROFILE, KEY, body(), READY, {"readyReplicas": 2})
    restarted = StatusWriter(client, refresh_s=600)  # type: ignore[arg-type]  # only `apply` is used
    changed = await restarted.write(PROFILE, KEY, body(client.applied[0]), READY, {"readyReplicas": 2})
    assert len(client.applied) == 1
    assert changed == ()


async def test_a_failed_write_is_tried_again_but_not_at_once(
    writer: StatusWriter, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("presage.runtime.status.time.monotonic", lambda: now[0])
    client.fault = Unavailable("down")
    with pytest.raises(Unavailable):
        await writer.write(PROFILE, KEY, body(), READY, {})
    client.fault = None
    assert await writer.write(PROFILE, KEY, body(), READY, {}) == ()
    assert client.applied == []
    now[0] += 3
    assert await writer.write(PROFILE, KEY, body(), READY, {}) == client_conditions(client)


async def test_volatile_fields_are_refreshed_after_a_restart_too(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("presage.runtime.status.time.monotonic", lambda: now[0])
    restarted = StatusWriter(client, refresh_s=600)  # type: ignore[arg-type]  # only `apply` is used
    await restarted.write(PROFILE, KEY, body(), READY, {"scaling": {"explain": "a"}})
    stored = body(client.applied[0])
    again = StatusWriter(client, refresh_s=600)  # type: ignore[arg-type]  # only `apply` is used
    for step in (0, 300, 601):
        now[0] = 2000.0 + step
        await again.write(PROFILE, KEY, stored, READY, {"scaling": {"explain": "b"}})
    assert [status["scaling"]["explain"] for status in client.applied] == ["a", "b"]


def client_conditions(client: Client) -> tuple[Condition, ...]:
    stamped = client.applied[0]["conditions"][0]["lastTransitionTime"]
    return (Condition("Ready", "True", "AsSpecified", "", 1, stamped),)


async def test_an_object_deleted_meanwhile_is_no_error_and_told(client: Client) -> None:
    gone: list[bool] = []
    writer = StatusWriter(client, 600, lambda: gone.append(True))  # type: ignore[arg-type]  # only `apply` is used
    client.fault = NotFound("gone")
    assert await writer.write(PROFILE, KEY, body(), READY, {}) == ()
    assert gone == [True]


async def test_a_new_object_of_the_same_name_starts_anew(writer: StatusWriter, client: Client) -> None:
    await writer.write(PROFILE, KEY, body(), READY, {})
    await writer.write(PROFILE, KEY, body(uid="other"), READY, {})
    assert len(client.applied) == 2


def test_strip_takes_only_the_named_paths() -> None:
    status = {"a": {"b": 1, "c": 2}, "d": 3, "e": "text"}
    assert strip(status, ("a.b", "d", "x.y", "e.z")) == {"a": {"c": 2}, "e": "text"}
    assert status["d"] == 3


def test_strip_goes_into_lists() -> None:
    status = {"a": [{"b": 1, "c": 2}, {"b": 3}, "text"]}
    assert strip(status, ("a.b",)) == {"a": [{"c": 2}, {}, "text"]}
