"""What nobody asks for is forgotten."""

from __future__ import annotations

import pytest

from presage.adapters.recently_used import RecentlyUsed


def test_shared_until_unused_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("presage.adapters.recently_used.time.monotonic", lambda: now)
    forgotten: list[list[str]] = []
    held: RecentlyUsed[str, list[str]] = RecentlyUsed(lambda key: [key], life_s=60, forget=forgotten.append)
    first = held.get("a")
    held.get("b")
    now = 50
    assert held.get("a") is first
    now = 100
    held.get("c")
    assert forgotten == [["b"]]
    assert list(held) == [["a"], ["c"]]


def test_past_the_most_the_one_unused_longest_goes() -> None:
    forgotten: list[str] = []
    held: RecentlyUsed[str, str] = RecentlyUsed(str.upper, life_s=60, most=2, forget=forgotten.append)
    for key in "abac":
        held.get(key)
    assert forgotten == ["B"]
    assert len(held) == 2


def test_the_oldest_goes_when_told_but_never_the_last() -> None:
    forgotten: list[str] = []
    held: RecentlyUsed[str, str] = RecentlyUsed(str.upper, life_s=60, forget=forgotten.append)
    for key in "aba":
        held.get(key)
    assert [held.forget_oldest(), held.forget_oldest()] == [True, False]
    assert (forgotten, list(held)) == (["B"], ["A"])
