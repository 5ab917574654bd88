"""Which values of a label are event types: few, slowly exchanged, with names that hold, whatever a label holds."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presage.core.profile import EventsByLabel
from presage.core.query import CounterLoad
from presage.core.recording.found import (
    FORGET_S,
    GIVE_WAY_S,
    LOOK_PERIOD_S,
    MAX_VALUE_CHARS,
    Found,
    FoundEvent,
    is_usable,
    name_event_type,
    take_in,
)
from presage.core.source_reading import LabelValues

NOW = 1_700_000_000.0
BASIS = "route of orders"
DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def by_label(most: int = 3) -> EventsByLabel:
    return EventsByLabel("route", most, 1.0, CounterLoad("orders_total", (), 60.0))


class Player:
    """Looks at a label once a minute."""

    def __init__(self, most: int = 3, given: Collection[str] = ()) -> None:
        self.found, self.by_label, self.given, self.now = Found(BASIS), by_label(most), given, NOW

    def look(self, loads: Mapping[str, float], times: int = 1) -> list[str]:
        """Return the names of what is new after so many looks that see the same."""
        new: list[FoundEvent] = []
        for _ in range(times):
            self.found, came = take_in(self.found, LabelValues(loads), self.by_label, self.given, self.now)
            self.now += LOOK_PERIOD_S
            new += came
        return [each.name for each in new]

    @property
    def names(self) -> list[str]:
        return [each.name for each in self.found.events]


@pytest.mark.parametrize(
    ("value", "taken", "name"),
    [
        pytest.param("order", (), "order", id="a name already"),
        pytest.param("/api/Order", (), "api-order", id="a path"),
        pytest.param("GET /api/{id}?x=1", (), "get-api-id-x-1", id="signs"),
        pytest.param("größe", (), "gr-e", id="other letters"),
        pytest.param("/", (), "route-8a5edab2", id="no letter at all"),
        pytest.param("注文", (), "route-266125dd", id="another script"),
        pytest.param("/order", ("order",), "order-86aa6a4d", id="taken"),
        pytest.param("a" * 63, (), "a" * 63, id="as long as a name may be"),
        pytest.param("a" * 64, (), "a" * 54 + "-ffe054fe", id="longer"),
        pytest.param("a" * 53 + "-" + "b" * 63, (), "a" * 53 + "-35b0d0e5", id="cut at a dash"),
    ],
)
def test_a_value_gives_its_event_type_a_name(value: str, taken: Collection[str], name: str) -> None:
    assert name_event_type(value, "route", taken) == name


@pytest.mark.parametrize(
    ("value", "usable"),
    [
        ("order", True),
        ("größe", True),
        ("x" * MAX_VALUE_CHARS, True),
        ("x" * (MAX_VALUE_CHARS + 1), False),
        ("", False),
        ("two\nlines", False),
        ("\x00", False),
        ("\ud800", False),
        ("\u202egnp.exe", False),
    ],
)
def test_what_nobody_can_read_is_no_event_type(value: str, *, usable: bool) -> None:
    assert is_usable(value) is usable
    player = Player()
    player.look({value: 1.0})
    assert bool(player.names) is usable


def test_those_with_the_most_load_are_found_first_and_keep_their_places() -> None:
    player = Player(most=2)
    assert player.look({"a": 1.0, "b": 3.0, "c": 2.0}) == ["b", "c"]
    assert player.found.left_out
    assert player.look({"a": 9.0, "b": 0.0, "c": 0.0}) == [], "a load that falls costs no place"
    assert player.look({"b": 0.0, "c": 0.0}) == []
    assert not player.found.left_out


def test_one_that_is_absent_keeps_its_place_as_long_as_there_is_room() -> None:
    player = Player()
    player.look({"/nightly": 1.0, "/order": 5.0})
    day = round(86_400 / LOOK_PERIOD_S)
    player.look({"/order": 5.0}, times=7 * day)
    assert player.names == ["order", "nightly"]
    assert player.look({"/order": 5.0, "/nightly": 2.0}) == [], "what comes once a week is no news"
    player.look({"/order": 5.0}, times=round(FORGET_S / LOOK_PERIOD_S))
    assert player.names == ["order"]
    assert player.look({"/order": 5.0, "/nightly": 2.0}) == ["nightly"]


def test_one_that_is_absent_gives_way_after_a_while() -> None:
    player = Player(most=2)
    player.look({"a": 1.0, "b": 2.0})
    waits = round(GIVE_WAY_S / LOOK_PERIOD_S)
    assert player.look({"a": 1.0, "c": 9.0}, times=waits - 1) == []
    assert player.found.left_out
    assert player.look({"a": 1.0, "c": 9.0}) == ["c"]
    assert (player.names, player.found.left_out) == (["a", "c"], False)


def test_without_any_value_nobody_is_absent() -> None:
    player = Player(most=1)
    player.look({"a": 1.0})
    player.look({}, times=2 * round(FORGET_S / LOOK_PERIOD_S))
    assert player.names == ["a"]
    assert player.look({"b": 1.0}) == [], "a saw nobody either, for as long as there was nothing to see"


def test_time_in_which_nobody_looked_is_no_absence() -> None:
    player = Player(most=1)
    player.look({"a": 1.0})
    player.now += 30 * 86_400
    assert player.look({"b": 1.0}) == []
    player.now -= 60 * 86_400
    assert player.look({"b": 1.0}) == []
    assert player.names == ["a"]


def test_a_value_of_the_name_of_a_given_event_type_is_that_one() -> None:
    player = Player(given=("order",))
    assert player.look({"/order": 1.0, "/quote": 1.0}) == ["quote"]
    assert not player.found.left_out
    player.given = ("order", "quote")
    player.look({"/order": 1.0, "/quote": 1.0, "/x": 1.0})
    assert player.names == ["x"]


def test_fewer_places_cost_those_that_are_absent_first() -> None:
    player = Player()
    player.look({"a": 3.0, "b": 2.0, "c": 1.0})
    player.by_label = by_label(2)
    player.look({"b": 1.0, "c": 1.0})
    assert player.names == ["b", "c"]


@pytest.mark.parametrize(("passed", "due"), [(0.0, False), (59.9, False), (60.0, True), (-1.0, True)])
def test_a_look_is_due_once_a_minute_and_when_the_clock_stepped_back(passed: float, *, due: bool) -> None:
    player = Player()
    assert player.found.is_due(NOW)
    player.look({"a": 1.0})
    assert player.found.is_due(NOW + passed) is due


LOOKS = st.lists(st.dictionaries(st.text(max_size=80), st.floats(0, 1e6), max_size=12), max_size=12)


@settings(deadline=None)
@given(looks=LOOKS, most=st.integers(1, 6), names=st.sets(st.sampled_from(["order", "a", "b-c"]), max_size=2))
def test_whatever_a_label_holds_names_are_valid_unique_and_lasting(
    looks: list[dict[str, float]], most: int, names: set[str]
) -> None:
    player = Player(most, names)
    seen: dict[str, str] = {}
    for loads in looks:
        before = {e.value: e.name for e in player.found.events}
        new = player.look(loads)
        after = {e.value: e.name for e in player.found.events}
        assert len(player.names) == len(set(player.names)) <= most
        assert not names & set(player.names)
        assert all(DNS_LABEL.fullmatch(name) for name in player.names)
        assert before.items() <= after.items(), "within an hour nobody gives way, and a name is never another value's"
        assert set(new) == {after[value] for value in after.keys() - before.keys()}
        assert all(value in loads for value in after.keys() - before.keys())
        seen |= after
    assert len(set(seen.values())) == len(seen)
