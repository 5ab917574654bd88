"""Capacity per pod: what is learned from pods whose truth is known, and why nothing is learned from others."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from presage.core.scaling.capacity import (
    REACH,
    Capacity,
    FloatArray,
    divide_among_pods,
    format_load,
    learn_from_cpu,
    learn_from_latency,
)

WEEK, DAY = 2016, 288  # slots of five minutes
IDLE, COST, ALLOWED = 0.02, 0.005, 0.35  # cores without load, cores for each unit of load, cores allowed
CPU_TRUTH = (ALLOWED - IDLE) / COST
WORKERS, SERVICE_S, LIMIT_S = 4, 0.05, 0.08


def noise(rng: np.random.Generator, share: float, count: int = WEEK) -> FloatArray:
    return rng.lognormal(0, share, count)


def daily(rng: np.random.Generator, low: float = 5, high: float = 60) -> FloatArray:
    """Load per pod over a week, as where the number of pods is fixed."""
    wave = (1 - np.cos(2 * np.pi * np.arange(WEEK) / DAY)) / 2
    return (low + (high - low) * wave) * noise(rng, 0.1)


def cpu_of(load: FloatArray, rng: np.random.Generator) -> FloatArray:
    return (IDLE + COST * load) * noise(rng, 0.1, len(load))


def respond(load: float) -> float:
    """Return the mean response time, seconds, of a pod of four workers (M/M/c, Erlang C)."""
    offered = load * SERVICE_S
    busy = offered / WORKERS
    if busy >= 0.999:
        return 10.0
    waiting = offered**WORKERS / math.factorial(WORKERS) / (1 - busy)
    all_busy = waiting / (sum(offered**k / math.factorial(k) for k in range(WORKERS)) + waiting)
    return SERVICE_S + all_busy * SERVICE_S / (WORKERS * (1 - busy))


LATENCY_TRUTH = next(load for load in np.arange(1, 80, 0.05) if respond(load) > LIMIT_S)


def latency_of(load: FloatArray, rng: np.random.Generator) -> FloatArray:
    return np.array([respond(each) for each in load]) * noise(rng, 0.1, len(load))


@pytest.mark.parametrize("seed", range(4))
def test_cpu_that_grows_along_a_line_tells_the_load(seed: int) -> None:
    rng = np.random.default_rng(seed)
    load = daily(rng)
    found = learn_from_cpu(load, cpu_of(load, rng), ALLOWED)
    assert (found.finding, found.at_least, found.samples) == ("Learned", False, WEEK)
    assert found.value == pytest.approx(CPU_TRUTH, rel=0.04)
    assert found.error < 0.06


def narrow(rng: np.random.Generator) -> FloatArray:
    """As where scaling keeps the load per pod about even."""
    return np.clip(rng.normal(40, 6, WEEK), 1, None)


def idle_nights(rng: np.random.Generator) -> FloatArray:
    return np.where(np.arange(WEEK) % DAY < 2 * DAY / 3, 0.0, daily(rng))


def half_lost(rng: np.random.Generator) -> FloatArray:
    load = daily(rng)
    load[rng.random(WEEK) < 0.5] = np.nan
    return load


@pytest.mark.parametrize(
    "make_load",
    [
        pytest.param(narrow, id="narrow load"),
        pytest.param(idle_nights, id="idle two thirds of the time"),
        pytest.param(half_lost, id="half of the slots are lost"),
    ],
)
def test_cpu_under_other_loads(make_load: Callable[[np.random.Generator], FloatArray]) -> None:
    rng = np.random.default_rng(7)
    load = make_load(rng)
    found = learn_from_cpu(load, cpu_of(load, rng), ALLOWED)
    assert found.value == pytest.approx(CPU_TRUTH, rel=0.06)


def disturb(cpu: FloatArray, rng: np.random.Generator, factor: float, share: float) -> FloatArray:
    return np.where(rng.random(len(cpu)) < share, cpu * factor, cpu)


@pytest.mark.parametrize(
    ("factor", "share"),
    [
        pytest.param(1.8, 0.2, id="noisy neighbour"),
        pytest.param(0.0, 0.2, id="restarts"),
        pytest.param(100.0, 0.1, id="batch job"),
        pytest.param(math.nan, 0.3, id="no samples"),
    ],
)
def test_cpu_that_is_disturbed_for_a_fifth_of_the_time(factor: float, share: float) -> None:
    rng = np.random.default_rng(3)
    load = daily(rng)
    found = learn_from_cpu(load, disturb(cpu_of(load, rng), rng, factor, share), ALLOWED)
    assert found.value == pytest.approx(CPU_TRUTH, rel=0.1)


def test_cpu_far_from_what_is_allowed_gives_a_lower_bound() -> None:
    rng = np.random.default_rng(1)
    load = daily(rng, high=20)
    found = learn_from_cpu(load, cpu_of(load, rng), ALLOWED)
    assert (found.finding, found.at_least) == ("OutOfReach", True)
    assert found.value is not None
    assert 25 < found.value <= REACH * load.max(), "not beyond 1.5 times the most that was seen"
    assert "1.5 ×" in found.message


def released(load: FloatArray, rng: np.random.Generator) -> FloatArray:
    """A release in the midst of the week costs twice the CPU."""
    return cpu_of(load, rng) * np.where(np.arange(WEEK) < WEEK / 2, 1.0, 2.0)


NO_CPU: dict[str, tuple[Callable[[np.random.Generator], tuple[FloatArray, FloatArray]], float, str]] = {
    "nothing known": (lambda rng: (np.full(WEEK, np.nan), np.ones(WEEK)), ALLOWED, "FewSamples"),
    "five hours but one slot": (lambda rng: (daily(rng)[:59], np.ones(59)), ALLOWED, "FewSamples"),
    "one load": (lambda rng: (np.full(WEEK, 40.0), noise(rng, 0.1)), ALLOWED, "LittleSpread"),
    "no load": (lambda rng: (np.zeros(WEEK), noise(rng, 0.1)), ALLOWED, "LittleSpread"),
    "CPU falls": (lambda rng: (load := daily(rng), 1 - load / 100), ALLOWED, "NoTrend"),
    "busy without load": (lambda rng: (load := daily(rng), cpu_of(load, rng)), IDLE / 2, "IdleAboveTarget"),
    "a release between": (lambda rng: (load := daily(rng), released(load, rng)), ALLOWED, "Uncertain"),
}


@pytest.mark.parametrize("name", NO_CPU)
def test_cpu_that_does_not_tell(name: str) -> None:
    make, allowed, want = NO_CPU[name]
    found = learn_from_cpu(*make(np.random.default_rng(5)), allowed)
    assert (found.value, found.finding) == (None, want)
    assert found.message


@pytest.mark.parametrize("seed", range(6))
def test_cpu_that_has_nothing_to_do_with_the_load(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = learn_from_cpu(daily(rng), noise(rng, 0.2), 2.0)
    assert found.value is None
    assert found.finding in ("NoTrend", "Uncertain")


@pytest.mark.parametrize("seed", range(4))
def test_latency_of_a_queue_tells_the_load(seed: int) -> None:
    """Slots below may be over the limit by noise only, so the answer lies a little below the truth."""
    rng = np.random.default_rng(seed)
    load = daily(rng, high=75)
    found = learn_from_latency(load, latency_of(load, rng), LIMIT_S)
    assert found.finding == "Learned"
    assert found.value is not None
    assert 0.9 * LATENCY_TRUTH <= found.value <= 1.02 * LATENCY_TRUTH


def test_latency_with_a_noisy_neighbour_for_a_fifth_of_the_time() -> None:
    rng = np.random.default_rng(2)
    load = daily(rng, high=75)
    found = learn_from_latency(load, disturb(latency_of(load, rng), rng, 5.0, 0.2), LIMIT_S)
    assert found.value is not None
    assert 0.85 * LATENCY_TRUTH <= found.value <= 1.02 * LATENCY_TRUTH


def test_latency_that_never_reached_its_limit_gives_the_most_that_was_seen() -> None:
    rng = np.random.default_rng(2)
    load = daily(rng, high=40)
    found = learn_from_latency(load, latency_of(load, rng), LIMIT_S)
    assert (found.finding, found.at_least) == ("LimitNotReached", True)
    assert found.value is not None
    assert 36 < found.value <= load.max()


@pytest.mark.parametrize(
    ("highest", "count", "want"),
    [
        pytest.param(SERVICE_S / 2, WEEK, "AlwaysOver", id="a limit below one request alone"),
        pytest.param(LIMIT_S, 59, "FewSamples", id="too few slots"),
    ],
)
def test_latency_that_does_not_tell(highest: float, count: int, want: str) -> None:
    rng = np.random.default_rng(2)
    load = daily(rng, high=75)
    found = learn_from_latency(load[:count], latency_of(load[:count], rng), highest)
    assert (found.value, found.finding) == (None, want)


def test_latency_that_changed_with_a_release_is_doubted() -> None:
    rng = np.random.default_rng(2)
    load = daily(rng, high=75)
    slower = np.where(np.arange(WEEK) < WEEK / 2, 1.0, 1.55)
    found = learn_from_latency(load, latency_of(load, rng) * slower, LIMIT_S)
    assert (found.value, found.finding) == (None, "Uncertain")


def test_the_load_is_divided_only_while_the_number_of_pods_stays() -> None:
    pods = np.array([2.0, 2.0, 3.0, 3.0, np.nan, 3.0, 3.0, 0.0, 0.0, 40.0, 42.0])
    got = divide_among_pods(np.full(11, 82.0), pods)
    nan = np.nan
    assert got == pytest.approx([nan, 41, nan, 82 / 3, nan, nan, 82 / 3, nan, nan, nan, 2], nan_ok=True)


@pytest.mark.parametrize(
    ("value", "at_least", "given", "want"),
    [
        pytest.param(100.0, False, 80.0, False, id="just within"),
        pytest.param(101.0, False, 80.0, True, id="above"),
        pytest.param(59.0, False, 80.0, True, id="below"),
        pytest.param(59.0, True, 80.0, False, id="a lower bound below says nothing"),
        pytest.param(101.0, True, 80.0, True, id="a lower bound above does"),
        pytest.param(None, False, 80.0, False, id="not known"),
    ],
)
def test_what_contradicts_the_load_given(value: float | None, at_least: bool, given: float, want: bool) -> None:
    assert Capacity(value, "Cpu", 100, "Learned", "", at_least).differs(given, 0.25) is want


@pytest.mark.parametrize(
    ("value", "want"),
    [
        pytest.param(66.4, "66", id="two digits"),
        pytest.param(1234.0, "1200", id="no exponent"),
        pytest.param(0.00123, "0.0012", id="small"),
        pytest.param(9.96, "10", id="carried"),
    ],
)
def test_a_proposal_can_be_put_into_a_spec(value: float, want: str) -> None:
    assert format_load(value) == want
