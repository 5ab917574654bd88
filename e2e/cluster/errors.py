"""What can go wrong in the cluster tool: one exception that a person can act on."""

from __future__ import annotations

from pathlib import Path

LOG_LINES = 15
"""How many of a log's last lines an error shows."""


class ClusterError(Exception):
    """A part of the cluster failed.

    Attributes:
        part: The part that failed, as `status` names it.
        problem: What happened, in one sentence.
        remedy: What a person most likely has to do; empty when nothing is known.
        log: The part's log file, if it has one.
    """

    def __init__(self, part: str, problem: str, *, remedy: str = "", log: Path | None = None) -> None:
        self.part = part
        self.problem = problem
        self.remedy = remedy
        self.log = log
        super().__init__(f"{part}: {problem}")

    def report(self) -> str:
        """Return the whole message: part, problem, log file with its last lines, remedy."""
        lines = [f"error: {self.part}: {self.problem}"]
        if self.log is not None:
            lines.append(f"  log: {self.log}")
            lines += [f"  | {line}" for line in last_lines(self.log)]
        if self.remedy:
            lines.append(f"  likely remedy: {self.remedy}")
        return "\n".join(lines)


def last_lines(path: Path, count: int = LOG_LINES) -> list[str]:
    """Return up to `count` last lines of a text file, each cut at 300 characters; none if unreadable."""
    try:
        with path.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - 64 * 1024))
            text = stream.read().decode(errors="replace")
    except OSError:
        return []
    return [line[:300] for line in text.splitlines()[-count:]]
