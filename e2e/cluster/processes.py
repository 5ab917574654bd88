"""Background processes that outlive the command that started them.

A process is recorded by name in a file: id, start time in clock ticks since boot, and the boot's own id. Only a
process whose three match its record is ever signalled, so an id that Linux gave to somebody else meanwhile, or a
record from before a reboot, is never acted on. Each process leads its own session.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from e2e.cluster.errors import ClusterError

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Record:
    """One started process.

    Attributes:
        name: Part name, also the name of its log.
        pid: Process id, also its session and process group.
        ticks: Start time from /proc/<pid>/stat, in clock ticks since boot.
        boot: Id of the boot it was started in.
        since: Start time, seconds since the epoch.
        command: Hash of arguments and environment.
    """

    name: str
    pid: int
    ticks: int
    boot: str
    since: float
    command: str


@dataclass(frozen=True)
class ProcessStat:
    """What /proc/<pid>/stat says: state letter, parent id, start time in clock ticks since boot."""

    state: str
    parent: int
    ticks: int


def boot_id() -> str:
    """Return the id of the running boot."""
    return _BOOT_ID.read_text().strip()


def parse_stat(text: str) -> ProcessStat:
    """Return the fields of a /proc/<pid>/stat line; the program name in it may hold spaces and brackets."""
    fields = text[text.rindex(")") + 2 :].split()
    return ProcessStat(fields[0], int(fields[1]), int(fields[19]))


def process_stat(pid: int) -> ProcessStat | None:
    """Return the process's state, or None when there is no such process."""
    try:
        return parse_stat(Path(f"/proc/{pid}/stat").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return None


def is_same(record: Record, boot: str, stat: ProcessStat | None) -> bool:
    """Tell whether the recorded process still runs: same boot, same start time, not a zombie."""
    return stat is not None and record.boot == boot and record.ticks == stat.ticks and stat.state not in "ZX"


def command_hash(argv: Sequence[str], env: Mapping[str, str]) -> str:
    """Return a hash of arguments and environment, which tells whether a process would be started the same."""
    return hashlib.sha256(json.dumps([list(argv), sorted(env.items())]).encode()).hexdigest()[:16]


class Processes:
    """The recorded processes of one cluster.

    Args:
        records: Folder of record files.
        logs: Folder of log files.
        cwd: Working folder of the processes.
    """

    def __init__(self, records: Path, logs: Path, cwd: Path) -> None:
        self._records = records
        self._logs = logs
        self._cwd = cwd

    def log(self, name: str) -> Path:
        """Return the log file of a process."""
        return self._logs / f"{name}.log"

    def all(self) -> list[Record]:
        """Return every record, oldest first."""
        found = [self.find(path.stem) for path in self._records.glob("*.json")]
        return sorted((record for record in found if record), key=lambda record: record.since)

    def find(self, name: str) -> Record | None:
        """Return the record of a process, or None when there is none or it is torn."""
        try:
            return Record(**json.loads((self._records / f"{name}.json").read_text()))
        except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, TypeError):
            return None

    def running(self, name: str) -> Record | None:
        """Return the record of a process that runs now."""
        record = self.find(name)
        return record if record and self.alive(record) else None

    def alive(self, record: Record) -> bool:
        """Tell whether the recorded process runs now."""
        _reap(record.pid)
        return is_same(record, boot_id(), process_stat(record.pid))

    def start(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> Record:
        """Start a process, or return the running one of that name when it was started the same way.

        Args:
            name: Part name.
            argv: Program and arguments.
            env: Whole environment; the caller's own when None.

        Raises:
            ClusterError: The program cannot be run.
        """
        environment = dict(os.environ if env is None else env)
        command = command_hash(argv, env or {})
        old = self.running(name)
        if old and old.command == command:
            return old
        if old:
            self.stop(name)
        self._records.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        # A Ctrl-C between start and record would leave a process nobody knows of.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
        try:
            pid = self._spawn(name, argv, environment)
            stat = process_stat(pid)
            record = Record(name, pid, stat.ticks if stat else 0, boot_id(), time.time(), command)
            self._note(record)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        return record

    def _note(self, record: Record) -> None:
        new = self._records / f"{record.name}.new"
        new.write_text(json.dumps(asdict(record)))
        new.rename(self._records / f"{record.name}.json")

    def _spawn(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> int:
        """Start a session leader with the log as its output; env -C gives it a folder and keeps the id."""
        append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        log = str(self.log(name))
        actions: list[tuple[Any, ...]] = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, append, 0o600),
            (os.POSIX_SPAWN_OPEN, 2, log, append, 0o600),
        ]
        actions += [(os.POSIX_SPAWN_CLOSE, number) for number in _inheritable()]
        words = ["env", "-C", str(self._cwd), *argv]
        defaults = [signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]
        try:
            return os.posix_spawnp(
                "env", words, env, file_actions=actions, setsid=True, setsigmask=[], setsigdef=defaults
            )
        except OSError as error:
            raise ClusterError(name, f"cannot start {argv[0]}: {error}", log=self.log(name)) from error

    def wait(self, record: Record, ready: Callable[[], bool], timeout: float, remedy: str = "") -> None:
        """Wait until `ready` says yes.

        Raises:
            ClusterError: The process ended, or was not ready within `timeout` seconds.
        """
        log = self.log(record.name)
        deadline = time.monotonic() + timeout
        while not ready():
            if not self.alive(record):
                raise ClusterError(record.name, "ended right after its start", log=log, remedy=remedy)
            if time.monotonic() > deadline:
                raise ClusterError(record.name, f"not ready after {timeout:.0f} s", log=log, remedy=remedy)
            time.sleep(_POLL_SECONDS)

    def stop(self, name: str, grace: float = 3.0) -> None:
        """End a process and its group and forget it: asks first, forces after `grace` seconds."""
        record = self.find(name)
        if record:
            end_group(record, self.alive, grace)
        (self._records / f"{name}.json").unlink(missing_ok=True)


def end_group(record: Record, alive: Callable[[Record], bool], grace: float) -> None:
    """End a recorded process and its process group, first by SIGTERM, then by SIGKILL."""
    for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + patience
        if not alive(record):
            return
        os.killpg(record.pid, number)
        while alive(record) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def descendants(parents: Mapping[int, int], roots: set[int]) -> list[int]:
    """Return all processes below `roots`, parents before children.

    Args:
        parents: Parent id by process id.
        roots: Process ids to begin at; not part of the answer.
    """
    found: list[int] = []
    level = set(roots)
    while level:
        level = {pid for pid, parent in parents.items() if parent in level} - set(found) - roots
        found += sorted(level)
    return found


def all_pids() -> list[int]:
    """Return the ids of all processes."""
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def arguments(pid: int) -> list[str]:
    """Return a process's program and arguments; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _inheritable() -> list[int]:
    """Return the open files beyond the standard ones that a new process would get.

    Whoever called us may hold a lock by such a file, which must not stay locked for as long as a cluster runs.
    """
    found = []
    for number in (int(path.name) for path in Path("/proc/self/fd").iterdir()):
        with suppress(OSError):  # the listing's own file is closed by now
            if number > 2 and os.get_inheritable(number):
                found.append(number)
    return found


def _reap(pid: int) -> None:
    """Collect the exit code of a child of ours, so that it does not stay a zombie."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
