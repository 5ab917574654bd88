"""Attribute sets: found fast, counted exactly, and never more than the cap."""

from __future__ import annotations

from functools import partial

import pytest

from presage.sdk.tables import MAX_TEXT, OVERFLOW, Table
from tests.unit.sdk.threads import run_together


def count(table: Table, **attributes: object) -> bool:
    """What an event does; returns whether its set was a new one."""
    new = False
    try:
        cell = table.cells[table.key(attributes)]
    except (KeyError, TypeError):
        cell, new = table.admit(attributes)
    cell.count += 1
    return new


def counts(table: Table) -> list[tuple[dict[str, object], int]]:
    return [(dict(cell.attributes), cell.count) for cell in table.all_cells()]


@pytest.mark.parametrize("names", [(), ("a",), ("a", "b"), ("a", "b", "c")])
def test_only_named_attributes_make_a_set(names: tuple[str, ...]) -> None:
    table = Table(names, 10)
    assert [count(table, a=1, b=2, c=3, d=each) for each in range(3)] == [True, False, False]
    assert counts(table) == [({name: {"a": 1, "b": 2, "c": 3}[name] for name in names}, 3)]


@pytest.mark.parametrize("names", [("a",), ("a", "b")])
def test_an_attribute_that_is_not_given_is_not_exported(names: tuple[str, ...]) -> None:
    table = Table(names, 10)
    given = {"b": 1} if names == ("a",) else {"a": 1}
    assert [count(table, **given) for _ in range(4)] == [True, False, False, False]
    assert count(table, a=5, b=5)
    assert [c for _, c in counts(table)] == [4, 1]
    assert counts(table)[0][0] == ({} if names == ("a",) else {"a": 1})


def test_beyond_the_cap_one_set_counts_all() -> None:
    table = Table(("a",), 3)
    new = [count(table, a=each) for each in range(10)]
    assert new == [True, True, True, True, *[False] * 6]
    assert counts(table)[-1] == (OVERFLOW, 7)
    assert table.overflowing == 7
    assert sum(c for _, c in counts(table)) == 10


@pytest.mark.parametrize("value", [["list"], {"a": 1}, {1, 2}, object(), "x" * 10_000, b"bytes", None])
def test_any_value_is_counted_and_none_is_kept_whole(value: object) -> None:
    table = Table(("a", "b"), 3)
    assert [count(table, a=value, b=1) for _ in range(3)] == [True, False, False]
    ((attributes, number),) = counts(table)
    assert number == 3
    assert len(str(attributes.get("a", ""))) <= MAX_TEXT
    assert all(len(str(key)) < 2 * MAX_TEXT for key in table.cells)


def test_after_renewal_sets_are_new_again_and_counts_go_on() -> None:
    table = Table(("a",), 3)
    for _ in range(5):
        count(table, a=1)
    table.renew()
    assert [count(table, a=1), count(table, a=1)] == [True, False]
    assert counts(table) == [({"a": 1}, 7)]


def test_threads_lose_no_count() -> None:
    """One lost addition in 400,000 fails the test."""
    table = Table(("a", "b"), 50)

    def work(number: int) -> None:
        for index in range(50_000):
            count(table, a=index % 7, b=number % 2)

    run_together(*(partial(work, number) for number in range(8)))
    assert sum(c for _, c in counts(table)) == 400_000
    assert len(counts(table)) == 14
