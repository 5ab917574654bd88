"""Which process a record speaks of, and how processes start and end."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.cluster import processes
from e2e.cluster.errors import ClusterError
from e2e.cluster.processes import Processes, ProcessStat, Record, descendants, is_same, parse_stat

RECORD = Record("etcd", 42, ticks=777, boot="boot-1", since=0.0, command="abc")
SLEEP = (sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)")


@pytest.fixture
def group(tmp_path: Path) -> Processes:
    return Processes(tmp_path / "run", tmp_path / "logs", tmp_path)


def test_parse_stat_with_a_name_full_of_brackets() -> None:
    fields = ["S", "7", *["0"] * 17, "31415", "1", "2"]
    assert parse_stat(f"42 (a) b) ({' '.join(['x', ')'])} {' '.join(fields)}") == ProcessStat("S", 7, 31415)


@pytest.mark.parametrize(
    ("boot", "stat", "want"),
    [
        pytest.param("boot-1", ProcessStat("S", 1, 777), True, id="same"),
        pytest.param("boot-1", None, False, id="gone"),
        pytest.param("boot-1", ProcessStat("S", 1, 778), False, id="id given to another"),
        pytest.param("boot-2", ProcessStat("S", 1, 777), False, id="other boot"),
        pytest.param("boot-1", ProcessStat("Z", 1, 777), False, id="zombie"),
    ],
)
def test_is_same(boot: str, stat: ProcessStat | None, want: bool) -> None:
    assert is_same(RECORD, boot, stat) is want


@pytest.mark.parametrize(
    ("roots", "want"),
    [
        pytest.param({10}, [11, 12, 13], id="a tree, parents first"),
        pytest.param({13}, [], id="a leaf"),
        pytest.param({11, 20}, [13, 21], id="two trees"),
        pytest.param({99}, [], id="unknown"),
    ],
)
def test_descendants(roots: set[int], want: list[int]) -> None:
    parents = {1: 0, 10: 1, 11: 10, 12: 10, 13: 11, 20: 1, 21: 20}
    assert descendants(parents, roots) == want


def test_start_twice_gives_one_process_and_stop_ends_it(group: Processes) -> None:
    first = group.start("sleeper", SLEEP)
    assert group.start("sleeper", SLEEP) == first
    group.stop("sleeper")
    assert not group.alive(first)
    assert group.all() == []


def test_other_arguments_start_it_anew(group: Processes) -> None:
    first = group.start("sleeper", SLEEP)
    second = group.start("sleeper", (*SLEEP, "more"))
    assert second.pid != first.pid
    assert not group.alive(first)
    group.stop("sleeper")


def test_a_stale_record_ends_nobody(group: Processes) -> None:
    live = group.start("victim", SLEEP)
    stale = replace(live, ticks=live.ticks - 1)
    processes.end_group(stale, lambda record: is_same(record, live.boot, processes.process_stat(record.pid)), 0.1)
    assert group.alive(live)
    group.stop("victim")


def test_stop_forces_who_does_not_listen(group: Processes) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    record = group.start("deaf", (sys.executable, "-c", code))
    group.wait(record, lambda: "deaf" in group.log("deaf").read_text(), 10)
    group.stop("deaf", grace=0.1)
    assert not group.alive(record)


def test_process_leads_its_own_session_in_its_folder(group: Processes, tmp_path: Path) -> None:
    record = group.start("sleeper", SLEEP)
    group.wait(record, lambda: "here" in group.log("sleeper").read_text(), 10)
    assert os.getsid(record.pid) == record.pid
    assert Path(f"/proc/{record.pid}/cwd").readlink() == tmp_path
    group.stop("sleeper")


def test_files_of_the_caller_are_not_handed_on(group: Processes, tmp_path: Path) -> None:
    """Such as the lock under which a cluster was started: it would be held until the cluster is down."""
    with (tmp_path / "lock").open("w") as lock:
        os.set_inheritable(lock.fileno(), True)
        record = group.start("sleeper", SLEEP)
        opened = {str(path.readlink()) for path in Path(f"/proc/{record.pid}/fd").iterdir()}
    group.stop("sleeper")
    assert lock.name not in opened


def test_wait_tells_of_a_process_that_ended(group: Processes) -> None:
    record = group.start("short", ("sh", "-c", "echo no such luck; exit 3"))
    with pytest.raises(ClusterError, match="ended right after its start") as caught:
        group.wait(record, lambda: False, 10, remedy="try again")
    report = caught.value.report()
    assert "no such luck" in report
    assert "short.log" in report
    assert "try again" in report


def test_wait_tells_of_a_process_that_is_not_ready(group: Processes) -> None:
    record = group.start("slow", SLEEP)
    began = time.monotonic()
    with pytest.raises(ClusterError, match="not ready after 0 s"):
        group.wait(record, lambda: False, 0.2)
    assert time.monotonic() - began < 5
    group.stop("slow")


def test_a_torn_record_is_no_record(group: Processes, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "etcd.json").write_text('{"name": "et')
    assert group.find("etcd") is None
    assert group.all() == []
