"""The run's figures as a table a person reads and as JSON (pure)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from e2e.demo.accounting import Account, account
from e2e.demo.record import SCHEMA_VERSION, RunRecord
from e2e.demo.recording import RecordingAccount, account_recording, build_recording_rows

DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class Summary:
    """Both accounts of a run and how they compare."""

    record: RunRecord
    presage: Account
    rival: Account
    recording: RecordingAccount | None = None

    @property
    def unmet_ratio(self) -> float:
        """Presage's unmet share over the rival's; 0 where neither missed anything."""
        if self.rival.unmet_share == 0:
            return 0.0 if self.presage.unmet_share == 0 else float("inf")
        return self.presage.unmet_share / self.rival.unmet_share

    @property
    def cost_ratio(self) -> float:
        """Presage's replica-hours over the rival's."""
        return self.presage.replica_hours / self.rival.replica_hours

    @property
    def counted_gap(self) -> float:
        """How far the generator's own unmet share lies from the formula's, as a share (0.01 = one point)."""
        return abs(self.record.counts.unmet_share - self.presage.unmet_share)


def summarize(record: RunRecord) -> Summary:
    """Return both accounts of a recorded run."""
    load = record.counts.load
    return Summary(
        record,
        account(load, record.start, record.presage, record.capacity),
        account(load, record.start, record.rival, record.capacity),
        account_recording(record.recorded, load) if record.recorded else None,
    )


def _percent(share: float) -> str:
    return f"{share * 100:.2f} %" if share < 0.1 else f"{share * 100:.1f} %"


def _lead(own: Account, day_seconds: int) -> str:
    minutes = abs(own.rises.lead_seconds) * DAY_MINUTES / day_seconds
    return f"{own.rises.describe()} ({minutes:.0f} min of the day)"


def name_rival(record: RunRecord) -> str:
    """Return what the rival is called in pictures."""
    return f"HPA rule at {record.rival_utilization * 100:.0f} % of capacity"


def describe_world(name: str, own: Account) -> str:
    """Return the head of one world's panel."""
    figures = f"{own.unmet_share * 100:.1f} % not served, {own.replica_hours:.0f} replica-hours"
    return f"{name}: capacity comes {own.rises.describe()} the load; {figures}"


def describe_outcome(summary: Summary) -> str:
    """Return the outcome in one sentence, the head of every picture."""
    return (
        f"presage left {summary.presage.unmet_share * 100:.1f} % of the requests unserved, the HPA rule "
        f"{summary.rival.unmet_share * 100:.1f} %, at {summary.cost_ratio:.2f} × its replica-hours"
    )


def build_rows(summary: Summary) -> list[tuple[str, str, str]]:
    """Return the table's rows: what, presage, the rival; the first row is the head."""
    record, own, rival = summary.record, summary.presage, summary.rival

    rival_name = f"HPA rule at {record.rival_utilization * 100:.0f} %"
    return [
        ("", "presage", rival_name),
        ("load not served (load above ready capacity)", _percent(own.unmet_share), _percent(rival.unmet_share)),
        ("  of it as the generator counted (503 or > 1 s)", _percent(record.counts.unmet_share), "-"),
        ("time short of capacity", _percent(own.short_share), _percent(rival.short_share)),
        ("replica-hours of the day", f"{own.replica_hours:.1f}", f"{rival.replica_hours:.1f}"),
        (
            f"capacity came, against {own.rises.count} rises of the load (median)",
            _lead(own, record.day_seconds),
            _lead(rival, record.day_seconds),
        ),
        ("rises met in time", f"{own.rises.ahead_share * 100:.0f} %", f"{rival.rises.ahead_share * 100:.0f} %"),
        ("changes of the number of replicas", str(own.changes), str(rival.changes)),
    ]


def build_notes(summary: Summary) -> list[str]:
    """Return the lines below the table."""
    record = summary.record
    counts = record.counts
    notes = [
        f"presage left {summary.unmet_ratio:.2f} x the HPA rule's unmet load "
        f"at {summary.cost_ratio:.2f} x its replica-hours.",
        f"Trace {record.trace}: one day in {record.day_seconds} s after {record.history_days} days of history; "
        f"{sum(counts.sent)} requests over real HTTP, peak {max(counts.sent)}/s, {record.capacity:g}/s a pod.",
        f"Start-up created -> Ready {record.startup_seconds:.2f} s "
        f"({record.startup_seconds * DAY_MINUTES / record.day_seconds:.0f} min of the day) "
        "by presage's pods; the rival gets the same.",
        "Both figures of unmet load: sum of max(0, load - capacity x ready pods) over sum of load, by the second.",
    ]
    if summary.recording is not None:
        notes.append(
            "Bytes are those that Prometheus scraped of the telemetry pages; CPU is what presage.sdk says of itself. "
            "Always the most: the page of a pod, and the CPU of an order and of a page, while all pods recorded the "
            "most, times the pods and orders of the day."
        )
    if sum(counts.behind):
        share = sum(counts.behind) / max(1, sum(counts.sent))
        notes.append(
            f"The generator sent {sum(counts.behind)} requests ({_percent(share)}) over 0.1 s late: a busy machine."
        )
    if record.operator is not None:
        use = record.operator
        notes.append(
            f"Operator: {use.memory_bytes / 2**20:.0f} MiB at most in one pod, {use.cores:.2f} cores in all, "
            f"{use.restarts} restarts."
        )
    if record.machine_busy_share is not None:
        notes.append(f"Machine: {record.machine_busy_share * 100:.0f} % of its cores busy on average.")
    return notes + [f"Warning: {line}" for line in record.warnings]


def build_tables(summary: Summary) -> list[list[tuple[str, str, str]]]:
    """Return the tables, each with its head as first row: of replicas, and of recording where that was looked at."""
    tables = [build_rows(summary)]
    return tables if summary.recording is None else [*tables, build_recording_rows(summary.recording)]


def render_text(summary: Summary) -> str:
    """Return tables and notes for a terminal."""
    tables = build_tables(summary)
    widths = [max(len(row[column]) for rows in tables for row in rows) for column in range(3)]
    lines = []
    for rows in tables:
        head, *body = (f"{what:<{widths[0]}}  {one:>{widths[1]}}  {other:>{widths[2]}}" for what, one, other in rows)
        lines += [head, "-" * len(head), *body, ""]
    return "\n".join([*lines, *build_notes(summary)]) + "\n"


def render_markdown(summary: Summary) -> str:
    """Return tables and notes as Markdown."""
    lines = []
    for rows in build_tables(summary):
        head, *body = (f"| {' | '.join(cell.strip() for cell in row)} |" for row in rows)
        lines += [head, "|---|---:|---:|", *body, ""]
    return "\n".join([*lines, *(f"- {note}" for note in build_notes(summary))]) + "\n"


def build_document(summary: Summary) -> dict[str, Any]:
    """Return the figures as a JSON document."""
    record = summary.record
    return {
        "schemaVersion": SCHEMA_VERSION,
        "trace": record.trace,
        "daySeconds": record.day_seconds,
        "historyDays": record.history_days,
        "startupSeconds": record.startup_seconds,
        "requestsSent": sum(record.counts.sent),
        "requestsBehind": sum(record.counts.behind),
        "generatorUnmetShare": record.counts.unmet_share,
        "presage": asdict(summary.presage),
        "hpa": asdict(summary.rival),
        "unmetRatio": summary.unmet_ratio,
        "replicaHoursRatio": summary.cost_ratio,
        "operator": asdict(record.operator) if record.operator else None,
        "machineBusyShare": record.machine_busy_share,
        "warnings": list(record.warnings),
        "recording": asdict(summary.recording) if summary.recording else None,
    }
