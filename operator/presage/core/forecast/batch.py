"""Bring alike histories together, run the engine on each group, and take the results apart again.

Invariants: a result depends on its own series only, never on its neighbours in a batch; groups are
split so that memory stays bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from presage.core.forecast import engine, seasons
from presage.core.forecast.block import Block
from presage.core.forecast.geometry import HOUR_SECONDS, SPAN_DAYS, WEEK_SECONDS, Geometry, geometry_of
from presage.core.forecast.pool import pool_of
from presage.core.forecast.report import Batch, report
from presage.core.forecast.series import Row, lay_row
from presage.core.forecast.state import State, ring_slots, same_kind, unpack
from presage.core.forecast.types import BoolArray, Effort, FloatArray, Forecast, SmallArray

CHUNK_ROWS: dict[Effort, int] = {"batch": 128, "full": 8}
CHUNK_SLOTS = 800_000  # rows times slots handled at once
WEEK_MIN_DAYS = 8
RING_LIMIT = 2.0**100  # scaled values beyond this are cut, so that a 32-bit ring can hold them

T = TypeVar("T")


def fit_rows(
    rows: Sequence[Row], quantiles: Sequence[float], effort: Effort, states: Sequence[State | None]
) -> list[Forecast]:
    """Fit and forecast each row; states carry realised coverage over."""

    def kind(i: int) -> Hashable:
        row = rows[i]
        return row.geometry, int(row.ahead.max()), _span(row)

    def run(part: list[int]) -> list[Forecast]:
        return _fit_group([rows[i] for i in part], quantiles, effort, [states[i] for i in part])

    return _in_groups(len(rows), kind, lambda i: len(rows[i].lags), run, CHUNK_ROWS[effort])


def advance_states(
    states: Sequence[State], new: Sequence[FloatArray], horizon: int, quantiles: Sequence[float]
) -> list[Forecast]:
    """Move each state by its new values and forecast with its stored coefficients."""
    rows = _moved(states, new, horizon)

    def kind(i: int) -> Hashable:
        return states[i].step, states[i].given, int(rows[i].ahead[-1]), len(new[i])

    def run(part: list[int]) -> list[Forecast]:
        group = [rows[i] for i in part]
        return _advance_group(group, [states[i] for i in part], len(new[part[0]]), quantiles)

    return _in_groups(len(rows), kind, lambda i: len(rows[i].lags), run, CHUNK_ROWS["batch"])


def _in_groups(
    count: int,
    kind: Callable[[int], Hashable],
    size: Callable[[int], int],
    run: Callable[[list[int]], list[T]],
    most: int,
) -> list[T]:
    groups: dict[Hashable, list[int]] = {}
    for i in range(count):
        groups.setdefault(kind(i), []).append(i)
    out: dict[int, T] = {}
    for members in groups.values():
        members.sort(key=size)  # histories of like length waste the least padding
        for part in _chunks(members, max(size(i) for i in members), most):
            out.update(zip(part, run(part), strict=True))
    return [out[i] for i in range(count)]


def _chunks(members: list[int], slots: int, most: int) -> Iterator[list[int]]:
    length = max(1, min(most, CHUNK_SLOTS // max(slots, 1)))
    for first in range(0, len(members), length):
        yield members[first : first + length]


def _span(row: Row) -> int:
    """Slots from the oldest known truth on, in whole quarters of a day once there is a day.

    Rows of one span share their cut-offs, and no row's cut-offs depend on what else is in the batch.
    """
    known = np.isfinite(row.observed)
    first = int(known.argmax()) if len(known) else 0
    truths = len(known) - first if len(known) and known[first] else 0
    day = row.geometry.day
    if truths < day:
        return truths
    quarters = min(4 * truths // day, 4 * (SPAN_DAYS + 1))
    return quarters * day // 4


def _fit_group(
    rows: list[Row], quantiles: Sequence[float], effort: Effort, states: list[State | None]
) -> list[Forecast]:
    geometry = rows[0].geometry
    horizon = int(max(r.ahead.max() for r in rows))
    block = engine.fit_block([r.observed for r in rows], [r.lags for r in rows], geometry, horizon, effort)
    evidence = seasons.find_seasons(block)
    found = evidence.found
    fitted = engine.fit(block, _span(rows[0]), horizon, effort, _allowed(rows, geometry, found))
    below, seen, stretch = fitted.below.copy(), fitted.seen.copy(), fitted.stretch.copy()
    for i, state in enumerate(states):
        if state is not None and same_kind(state, geometry):
            old = unpack(state.coefficients[None], geometry)
            if old.seen[0] > 0:
                below[i], seen[i], stretch[i] = old.below[0], old.seen[0], old.stretch[0]
    fitted = replace(fitted, below=below, seen=seen, stretch=stretch)
    steps = np.arange(1, horizon + 1)
    ahead = engine.apply(block, fitted, block.width, steps)
    fitted = engine.remember(fitted, ahead, _next_slot_first(rows))
    names = [tuple(s.seconds for s, yes in zip(geometry.seasons, row, strict=True) if yes) for row in found]
    tests = [seasons.explain(evidence, i, geometry, row.exponent) for i, row in enumerate(rows)]
    return report(Batch(rows, names, tests, fitted, ahead), quantiles)


def _next_slot_first(rows: Sequence[Row]) -> BoolArray:
    return np.array([r.ahead[0] == 1 for r in rows])


def _allowed(rows: Sequence[Row], geometry: Geometry, found: BoolArray) -> BoolArray:
    """(rows, models) an untested hour is not used, nor a week before its eighth day; a day always is."""
    models = pool_of(geometry)
    out = np.ones((len(rows), len(models)), dtype=bool)
    days = np.array([r.slots / geometry.day for r in rows])
    for i, season in enumerate(geometry.seasons):
        if geometry.given:
            continue
        columns = [j for j, m in enumerate(models) if m.season == season.seconds]
        if season.seconds == HOUR_SECONDS:
            out[:, columns] = found[:, [i]]
        elif season.seconds == WEEK_SECONDS:
            out[:, columns] = (days >= WEEK_MIN_DAYS)[:, None]
    return out


def _moved(states: Sequence[State], new: Sequence[FloatArray], horizon: int) -> list[Row]:
    """Each state's row after its new values."""
    counts = [len(v) for v in new]
    together = np.concatenate([*new, np.empty(0)])
    together[~np.isfinite(together)] = np.nan
    exponents = np.repeat(np.array([s.exponent for s in states], dtype=np.int64), counts)
    with np.errstate(over="ignore"):
        scaled = np.clip(np.ldexp(together, -exponents), -RING_LIMIT, RING_LIMIT).astype(np.float32)
    ends = np.cumsum(counts).tolist()
    negative = together < 0
    signed = [False] * len(states)
    if negative.any():
        signed = [bool(negative[end - count : end].any()) for end, count in zip(ends, counts, strict=True)]
    return [
        _moved_row(state, scaled[end - count : end], below, horizon)
        for state, end, count, below in zip(states, ends, counts, signed, strict=True)
    ]


def _moved_row(state: State, scaled: SmallArray, negative: bool, horizon: int) -> Row:
    geometry = geometry_of(state.step, state.given)
    # cut to the ring's length before use: slot by slot or all at once then sees the same
    kept = ring_slots(geometry, state.found, horizon)
    values = np.concatenate([state.ring[-max(kept - len(scaled), 1) :], scaled])
    if len(values) > kept:
        values = values[-kept:].copy()
    known = len(state.ring) > 0 or not np.isnan(scaled).all()
    return lay_row(
        geometry,
        state.zone,
        state.end + len(scaled) * state.step,
        horizon,
        values=values,
        observed=values,
        exponent=state.exponent,
        signed=state.signed or negative,
        slots=state.slots + len(scaled) if known else 0,
        warnings=(),
        shift_at=state.shift_at,
    )


def _advance_group(rows: list[Row], states: list[State], new: int, quantiles: Sequence[float]) -> list[Forecast]:
    geometry = rows[0].geometry
    furthest = int(max(r.ahead.max() for r in rows))
    reach = min(new, geometry.day)
    back, past = engine.back_slots(geometry) + new, max(furthest, reach)
    block = Block([r.lags for r in rows], geometry, back=back, ahead=past, sparse=not geometry.given)
    fitted = unpack(np.stack([s.coefficients for s in states]), geometry)
    if 0 < new < block.width:
        fitted = engine.track(block, fitted, new)
    ahead = engine.apply(block, fitted, block.width, np.arange(1, furthest + 1))
    fitted = engine.remember(fitted, ahead, _next_slot_first(rows))
    return report(Batch(rows, [s.found for s in states], [()] * len(rows), fitted, ahead), quantiles)
