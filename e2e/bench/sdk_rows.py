"""Rows of the SDK's bench: what was measured beside what it must be and should be; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from e2e.bench.judged import Judged, at_most
from e2e.bench.page import align, judged_cells, render_table
from e2e.bench.sdk_bias import Bias
from e2e.bench.sdk_calls import Calls
from e2e.bench.sdk_load import ERROR_EVERY, RATE, Loaded
from e2e.bench.sdk_start import Starts

STANDARD_ERRORS = 2.0


@dataclass(frozen=True)
class Run:
    """All that one run found.

    Attributes:
        rows: Figures.
        facts: Name and text on machine, date, versions and commands.
        remarks: What a reader has to know about this very run; empty for a whole one.
    """

    rows: Sequence[Judged]
    facts: Mapping[str, str]
    remarks: Sequence[str] = field(default_factory=tuple)

    @property
    def holds(self) -> bool:
        """Whether every figure holds what it must."""
        return all(each.verdict != "falls short" for each in self.rows)


def judge_calls(found: Calls) -> list[Judged]:
    """Return what calls cost beside the plain OpenTelemetry SDK."""
    ns, shares = found.nanoseconds, found.shares

    def compare(ours: str, plain: str) -> str:
        return f"{ns[ours]:.0f} ns against {ns[plain]:.0f} ns, 3 attributes, median of {found.rounds} turns"

    return [
        _share("a histogram that is left out, of an enabled one", shares["left out"], 20, 50,
               compare("left out histogram", "plain histogram")),
        _share("a counter that is left out, of an enabled one", shares["left out counter"], 20, 50,
               compare("left out counter", "plain counter")),
        _share("1 in 100 with exact count, of an enabled histogram", shares["sampled"], 15, 40,
               compare("sampled histogram", "plain histogram")),
        _share("an event under Minimal, of a plain counter and histogram", shares["event"], None, None,
               f"{ns['event under Minimal']:.0f} ns against {ns['plain event']:.0f} ns, 2 attributes"),
    ]  # fmt: skip


def judge_load(bare: Loaded, minimal: Loaded, debug: Loaded) -> list[Judged]:
    """Return what the built-in profiles cost under load."""
    load = f"{RATE} requests/s for {minimal.window_s:g} s, 1 in {ERROR_EVERY} fails"
    note = f"{load}; Minimal {_cost(minimal)}, Debug {_cost(debug)}"
    sizes = (
        f"{minimal.received} bytes in {minimal.exports} exports ({minimal.points} points in the newest) against "
        f"{debug.received} in {debug.exports} ({debug.points})"
    )
    rows = [
        _share("CPU of telemetry, Minimal of Debug", minimal.telemetry_us / debug.telemetry_us, 30, 100, note),
        _share("bytes exported, Minimal of Debug", minimal.received / debug.received, 200, 400, sizes),
    ]
    for each in (bare, minimal, debug):
        name = f"CPU of a whole request, {each.profile or 'without telemetry'}"
        rows.append(Judged(name, each.process_us, form=".0f", unit="µs", note="runs differ by some per cent"))
    return rows


def judge_text(minimal: int, debug: int) -> Judged:
    """Return the share of Prometheus's text; how often it is fetched is the server's choice, not the profile's."""
    note = f"{minimal} bytes against {debug}, every attribute set met; one scrape of each"
    return _share("text for one scrape, Minimal of Debug", minimal / debug, None, None, note)


def judge_bias(sums: Sequence[Bias], count: Bias, through_calls: tuple[int, int]) -> list[Judged]:
    """Return how far sums and counts are off on work that repeats."""
    rows = [_bias(each) for each in sums]
    off, nothing = through_calls, at_most(0.0)
    note = "events less what was counted, through the SDK's calls; exact"
    rows.append(Judged("bias of the exact count", abs(off[0]), nothing, nothing, note, ".0f", "events"))
    note = "kept events times N against all events"
    rows.append(Judged("bias of the sample as a count", abs(count.mean), nothing, nothing, note, ".1%"))
    note = "sum of what the SDK's calls kept, less what its sampler says"
    rows.append(Judged("calls that keep other events than the sampler", abs(off[1]), nothing, nothing, note, ".0f"))
    return rows


def _bias(found: Bias) -> Judged:
    bounds = at_most(STANDARD_ERRORS)
    note = f"{found.mean:+.3%} ± {found.error:.3%} over {found.seeds} seeds"
    note = f"{note}; a counter modulo N up to {found.modulo:+,.0%}"
    name = f"bias of the sum, period {found.period}"
    return Judged(name, found.deviation, bounds, bounds, note, ".2f", "standard errors")


def judge_starts(found: Starts) -> list[Judged]:
    """Return what the SDK adds to the time until the first event is served."""
    note = (
        f"median of {found.pairs} pairs; {found.presage:.0f} ms with the SDK and a file, {found.plain:.0f} ms with the "
        "plain SDK and OTLP; ours imports its exporter after the first event"
    )
    name = "added until the first event, over the plain SDK"
    return [
        Judged(name, found.added, at_most(50), at_most(20), note, ".0f", "ms"),
        Judged("the same, over no telemetry", found.over_nothing, form=".0f", unit="ms"),
    ]  # fmt: skip


def _share(name: str, value: float, must: float | None, aim: float | None, note: str) -> Judged:
    most, wished = (None if least is None else at_most(1 / least) for least in (must, aim))
    return Judged(name, value, most, wished, note, "1/")


def _cost(found: Loaded) -> str:
    return f"{found.calls_us:.1f} µs of an event in calls and {found.threads_us:.2f} in threads"


def render_text(run: Run) -> str:
    """Return the table for a terminal."""
    facts = (f"{name}: {text}" for name, text in run.facts.items())
    return "\n".join([*align(judged_cells(run.rows)), "", *facts, *run.remarks])


def render_results(run: Run) -> str:
    """Return the table as Markdown."""
    facts = render_table([("what", "value"), *run.facts.items()])
    return "\n\n".join(["## Results", *run.remarks, facts, render_table(judged_cells(run.rows))])
