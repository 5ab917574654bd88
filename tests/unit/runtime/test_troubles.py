"""One line for each trouble, however long it lasts; blips are not told."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from presage.runtime import troubles as module
from presage.runtime.troubles import Troubles


async def told(monkeypatch: pytest.MonkeyPatch, seen: list[str | None]) -> list[str | None]:
    """Return what was logged while the parts said this, look by look; None stands for the end of a trouble."""
    monkeypatch.setattr(module, "_LOOK_S", 0)
    looks = iter(seen)
    done = asyncio.Event()

    def look() -> str | None:
        try:
            return next(looks)
        except StopIteration:
            done.set()
            return seen[-1]

    troubles = Troubles(look)
    with capture_logs() as lines:
        telling = asyncio.ensure_future(troubles.tell())
        await done.wait()
        telling.cancel()
    return [line.get("trouble") for line in lines]


@pytest.mark.parametrize(
    ("seen", "want"),
    [
        pytest.param([None, None], [], id="none"),
        pytest.param(["a"] * 20, ["a"], id="once"),
        pytest.param(["a"] * 9 + [None] + ["a"] * 9, ["a", None, "a"], id="over and back"),
        pytest.param(["a"] * 9 + ["b"] * 9, ["a", "b"], id="another one"),
        pytest.param([None, *["a"] * 7, None, *["b"] * 7, None], [], id="blips"),
        pytest.param(["cause"] * 9 + ["effect"] * 7 + [None], ["cause", None], id="an effect that outlasts its cause"),
        pytest.param(["a"] * 9 + ["b"] + ["a"] * 9, ["a"], id="a blip in between"),
    ],
)
async def test_changes_are_told(
    monkeypatch: pytest.MonkeyPatch, seen: list[str | None], want: list[str | None]
) -> None:
    assert await told(monkeypatch, seen) == want


def test_the_first_part_in_trouble_counts() -> None:
    assert Troubles(lambda: None, lambda: "cause", lambda: "effect").find() == "cause"
