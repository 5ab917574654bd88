"""The replay: a load cut into history and window, and each rule let loose on the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from presage.cli.simulate.arguments import HPA, PRESAGE
from presage.core.samples import FloatArray, Grid
from presage.core.scaling.rivals import (
    DAY_S,
    HOURS,
    SYNC_S,
    Target,
    clairvoyant,
    cron_plan,
    hpa_rule,
    yesterday_floor,
)
from presage.core.scaling.world import Decide, IntArray, Outcome, account, count_ticks, observe, play, warm_start

WEEK_S = 7 * DAY_S
SHORTEST_S = 3_600.0
_QUARTER_S = 900  # every zone's offset is a whole number of these
_SATURDAY = 5

HALVED_S = 2 * DAY_S  # a window at least this long is played in two halves
RUN_IN_S = 3_600.0

MakeRule = Callable[[FloatArray], Decide]
"""`make(history) -> decide`: presage's rule after a history in ticks of `SYNC_S`, NaN where it is not known."""
Tell = Callable[[str], None]


class TooShortError(ValueError):
    """There is too little load to replay any; the message says how much is needed."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A load on the clock of the rules.

    Attributes:
        ticks: (n,) load in ticks of `SYNC_S`; NaN = not known.
        first: Epoch second of the first tick.
        start: Tick at which the window starts; what lies before is history.
        target: What is scaled.
        objective: Share of the load that may be left unmet.
        utilization: Share of a pod's capacity that the HPA aims at.
        zone: IANA zone by which a schedule is written; None = UTC.
    """

    ticks: FloatArray
    first: float
    start: int
    target: Target
    objective: float
    utilization: float
    zone: str | None

    @property
    def window(self) -> FloatArray:
        """Return (m,) the load that is replayed."""
        return self.ticks[self.start :]


def cut_ticks(grid: Grid) -> FloatArray:
    """Return the load of a grid in ticks of `SYNC_S`; within a slot it stays what it is on the mean."""
    count = int(len(grid.values) * grid.step // SYNC_S)
    slot = ((np.arange(count) + 0.5) * SYNC_S // grid.step).astype(np.int64)
    return np.asarray(np.maximum(grid.values[slot], 0.0), np.float64)


def find_start(ticks: int, last_s: float | None) -> int:
    """Return the tick at which the window starts.

    Args:
        ticks: Ticks in all.
        last_s: Length of the window in seconds; None: a week, or what a day of history leaves.

    Raises:
        TooShortError: If there is less than a day of history before it.
    """
    day = count_ticks(DAY_S, SYNC_S)
    wanted = min(count_ticks(WEEK_S, SYNC_S), ticks - day) if last_s is None else count_ticks(last_s, SYNC_S)
    if wanted < count_ticks(SHORTEST_S, SYNC_S) or ticks - wanted < day:
        needed = DAY_S + (SHORTEST_S if last_s is None else max(last_s, SHORTEST_S))
        hint = "" if last_s is None else ": the window and a day before it"
        raise TooShortError(f"{ticks * SYNC_S / 3600:.1f} h of load, and {needed / 3600:.1f} h are needed{hint}")
    return ticks - wanted


def replay(
    given: Replay, rivals: tuple[str, ...], make_rule: MakeRule, tell: Tell
) -> Iterator[tuple[str, Outcome | str]]:
    """Yield each rule and what came of it, or why it could not be played; presage comes first.

    All start with the same pods, enough for the first start-up time.

    Args:
        given: The load, and what is scaled.
        rivals: Those to play besides.
        make_rule: Gives presage's rule; must be picklable.
        tell: Told now and then how far it is.
    """
    target = given.target
    seen = np.where(np.isfinite(given.ticks), observe(given.ticks, SYNC_S), np.nan)
    yield PRESAGE, _play_presage(given, make_rule, tell)
    for name in rivals:
        if name == HPA:
            yield name, _play(given, hpa_rule(target, given.utilization))
        elif name == "yesterday":
            floor = yesterday_floor(seen, given.start, target, given.utilization)
            yield name, _play(given, hpa_rule(target, given.utilization, floor.tolist()))
        elif name == "cron":
            yield name, _follow_schedule(given, seen)
        else:
            yield name, clairvoyant(given.window, target, given.objective, _initial(given))


def _play_presage(given: Replay, make_rule: MakeRule, tell: Tell) -> Outcome:
    """Return what came of presage; of a long window its halves are played side by side.

    Forecasting is what takes time. The second half begins as the operator does after a restart, an hour early.
    """
    count = len(given.window)
    if count * SYNC_S < HALVED_S:
        return _play(given, _telling(make_rule(given.ticks[: given.start]), count, tell))
    middle, run_in = given.start + count // 2, count_ticks(RUN_IN_S, SYNC_S)
    first = replace(given, ticks=given.ticks[:middle])
    second = replace(given, start=middle - run_in)
    with ProcessPoolExecutor(1) as pool:
        other = pool.submit(_play_half, second, make_rule)
        replicas = _play(first, _telling(make_rule(first.ticks[: first.start]), count // 2, tell)).replicas
        course = np.concatenate([replicas, other.result()[run_in:]])
    target = given.target
    return account(given.window, course, target.capacity, SYNC_S, target.startup_s, initial=_initial(given))


def _play_half(given: Replay, make_rule: MakeRule) -> IntArray:
    return _play(given, make_rule(given.ticks[: given.start])).replicas


def _telling(decide: Decide, count: int, tell: Tell) -> Decide:
    """Return the same rule; it tells how far it is once an hour of the load."""
    calls, hour = 0, count_ticks(3_600, SYNC_S)

    def counted(observed: float, current: int, ready: int) -> int:
        nonlocal calls
        calls += 1
        if calls % hour == 0:
            tell(f"presage's decisions: {calls / count:.0%}")
        return decide(observed, current, ready)

    return counted


def _play(given: Replay, decide: Decide) -> Outcome:
    target = given.target
    return play(
        given.window,
        target.capacity,
        SYNC_S,
        target.startup_s,
        decide,
        min_replicas=target.min_replicas,
        max_replicas=target.max_replicas,
        initial=_initial(given),
        before=_last_known(given.ticks[: given.start]),
    )


def _initial(given: Replay) -> int:
    target = given.target
    first = warm_start(given.window, target.capacity, count_ticks(target.startup_s, SYNC_S))
    return min(target.max_replicas, max(target.min_replicas, first))


def _last_known(history: FloatArray) -> float | None:
    known = history[np.isfinite(history)]
    return float(known[-1]) if len(known) else None


def _follow_schedule(given: Replay, seen: FloatArray) -> Outcome | str:
    target = given.target
    ahead = count_ticks(target.startup_s, SYNC_S)
    plan = cron_plan(seen, find_hours(given.first, len(seen) + ahead, given.zone), given.start, target)
    if plan is None:
        return "not every hour of the day is known from the history"
    return account(given.window, plan, target.capacity, SYNC_S, target.startup_s, initial=_initial(given))


def find_hours(first: float, count: int, zone: str | None) -> IntArray:
    """Return (count,) the hour of each tick on the wall of a zone, 0 to 23, and 24 more at the weekend."""
    tz = ZoneInfo(zone) if zone else UTC
    quarters = ((first + np.arange(count) * SYNC_S) // _QUARTER_S).astype(np.int64)
    walls = (datetime.fromtimestamp(int(q) * _QUARTER_S, tz) for q in range(int(quarters[0]), int(quarters[-1]) + 1))
    hours = np.array([wall.hour + HOURS * (wall.weekday() >= _SATURDAY) for wall in walls], np.int64)
    return np.asarray(hours[quarters - quarters[0]], np.int64)
