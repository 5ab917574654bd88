"""A file of a load gives the same grid in whatever order its rows stand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presage.cli.app import parse
from presage.cli.loads.load import Load
from presage.cli.loads.read import Reading, read_load

samples = st.lists(
    st.tuples(st.integers(0, 86_400), st.integers(0, 10**6)),
    min_size=2,
    max_size=60,
    unique_by=lambda sample: sample[0],
)


def read(path: Path, rows: list[tuple[int, int]], *options: str) -> Load:
    path.write_text("timestamp,value\n" + "".join(f"{1_700_000_000 + at},{value / 8}\n" for at, value in rows))
    arguments = parse(["backtest", "--csv", str(path), "--step", "5m", *options])
    return read_load(arguments, Reading(300, 300, 300, 0.0), lambda _: None)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("csv") / "load.csv"


@settings(max_examples=60)
@given(data=st.data(), rows=samples, earlier=st.integers(0, 59))
def test_order_is_no_matter_and_the_last_of_a_time_counts(
    place: Path, data: st.DataObject, rows: list[tuple[int, int]], earlier: int
) -> None:
    plain = read(place, rows)
    shuffled = data.draw(st.permutations(rows))
    again = read(place, [(shuffled[earlier % len(rows)][0], 999), *shuffled])
    np.testing.assert_array_equal(again.grid.values, plain.grid.values)
    assert again.grid.start == plain.grid.start
    assert again.rows == plain.rows == len(rows)
    assert any("have the time of a later row" in warning for warning in again.warnings)
    known = plain.grid.values[np.isfinite(plain.grid.values)]
    values = [value / 8 for _, value in rows]
    assert min(values) <= known.min() + 1e-9
    assert known.max() <= max(values) + 1e-9
    assert np.isfinite(plain.grid.values[[0, -1]]).all()
