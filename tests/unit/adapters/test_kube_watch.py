"""The watch over scripted answers: what is told, when it lists anew, and what happens when things break."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from presage.adapters.kube_error import Forbidden, Gone, KubeError, NotFound, Unavailable
from presage.adapters.kube_reader import WatchReader, WatchTimes
from presage.adapters.kube_transport import Limits
from presage.adapters.kube_watch import WatchCache
from presage.core.resource_type import ResourceType

PODS = ResourceType("", "v1", "pods", "Pod")


def pod(name: str, phase: str = "Running", version: str = "1", namespace: str = "n") -> dict[str, object]:
    return {
        "metadata": {"name": name, "namespace": namespace, "resourceVersion": version},
        "status": {"phase": phase},
        "spec": {"much": "too much"},
    }


def trim(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"name": obj["metadata"]["name"], "phase": obj["status"]["phase"]}


def line(kind: str, item: Mapping[str, object]) -> dict[str, object]:
    return {"type": kind, "object": item}


class Lines:
    """One opened watch; a KubeError among the lines breaks it there."""

    def __init__(self, *lines: Mapping[str, object] | KubeError) -> None:
        self._lines = lines

    def lines(self) -> Iterator[Mapping[str, object]]:
        for entry in self._lines:
            if isinstance(entry, KubeError):
                raise entry
            yield entry

    def shutdown(self) -> None:
        pass

    def close(self) -> None:
        pass


class Script:
    """A transport that plays lists and watches in order, then ends the reader."""

    def __init__(self, *steps: Mapping[str, object] | Lines | KubeError) -> None:
        self.steps = list(steps)
        self.asked: list[tuple[str, str]] = []
        self.finished = threading.Event()
        self.stop: Callable[[], None] = lambda: None

    def request(self, _method: str, _path: str, _limits: Limits, *, query: Mapping[str, str]) -> Any:
        return self._next("list", query.get("continue", ""))

    def stream(self, _path: str, _limits: Limits, *, query: Mapping[str, str]) -> Any:
        return self._next("watch", query["resourceVersion"])

    def _next(self, what: str, detail: str) -> Any:
        if not self.steps:
            self.finished.set()
            self.stop()
            raise Unavailable("the script has ended")
        self.asked.append((what, detail))
        step = self.steps.pop(0)
        if isinstance(step, KubeError):
            raise step
        return step


def listing(*items: Mapping[str, object], version: str = "10", onward: str = "") -> dict[str, object]:
    return {"items": list(items), "metadata": {"resourceVersion": version, "continue": onward}}


def play(script: Script, **options: Any) -> tuple[list[tuple[str, str]], WatchReader]:
    """Run a reader through the script; gives what it told as (change, name:phase)."""
    told: list[tuple[str, str]] = []

    def emit(change: str, _: tuple[str, str], entry: Mapping[str, Any]) -> None:
        told.append((change, f"{entry['name']}:{entry['phase']}" if entry else ""))

    reader = WatchReader(
        script,  # type: ignore[arg-type]  # only `request` and `stream` are used
        PODS,
        options.pop("trim", trim),
        emit,
        label_selector=None,
        times=WatchTimes(absent_retry_s=0.001),
        jitter=lambda: 0.0,
    )
    reader._back_off = lambda failures: 0.0  # type: ignore[method-assign]  # no waiting in tests
    script.stop = reader.stop
    reader.run()
    return told, reader


def test_list_then_changes() -> None:
    script = Script(
        listing(pod("a"), onward="more"),
        listing(pod("b")),
        Lines(
            line("ADDED", pod("c", version="11")),
            line("MODIFIED", pod("a", "Failed", version="12")),
            line("DELETED", pod("b", version="13")),
            line("BOOKMARK", {"metadata": {"resourceVersion": "20"}}),
        ),
        Lines(),
    )
    told, _ = play(script)
    assert told == [
        ("ADDED", "a:Running"),
        ("ADDED", "b:Running"),
        ("SYNCED", ""),
        ("ADDED", "c:Running"),
        ("MODIFIED", "a:Failed"),
        ("DELETED", "b:Running"),
    ]
    assert script.asked == [("list", ""), ("list", "more"), ("watch", "10"), ("watch", "20")]


def test_a_change_of_dropped_fields_is_no_change() -> None:
    told, _ = play(Script(listing(pod("a")), Lines(line("MODIFIED", {**pod("a", version="11"), "spec": {}}))))
    assert told == [("ADDED", "a:Running"), ("SYNCED", "")]


GONE_LINE = line("ERROR", {"code": 410, "reason": "Expired", "message": "too old resource version"})


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(Lines(GONE_LINE), id="as a line"),
        pytest.param(Gone("too old", status=410), id="as an answer"),
    ],
)
def test_a_version_too_old_means_a_new_list_and_only_the_difference_is_told(end: Lines | KubeError) -> None:
    script = Script(
        listing(pod("a"), pod("b"), pod("c")),
        end,
        listing(pod("a"), pod("b", "Failed"), pod("d"), version="50"),
        Lines(),
    )
    told, _ = play(script)
    assert told[4:] == [("MODIFIED", "b:Failed"), ("ADDED", "d:Running"), ("DELETED", "c:Running"), ("SYNCED", "")]
    assert script.asked[-1] == ("watch", "50")


def test_a_dropped_connection_goes_on_where_it_was() -> None:
    script = Script(
        listing(),
        Lines(line("ADDED", pod("a", version="11")), Unavailable("reset")),
        Unavailable("refused"),
        Lines(line("MODIFIED", pod("a", "Failed", version="12"))),
    )
    told, _ = play(script)
    assert told == [("SYNCED", ""), ("ADDED", "a:Running"), ("MODIFIED", "a:Failed")]
    assert script.asked == [("list", ""), ("watch", "10"), ("watch", "11"), ("watch", "11")]


def test_a_version_that_never_works_is_given_up() -> None:
    """Such as one from before a backup was restored: newer than all that the server knows."""
    script = Script(listing(), *[Unavailable("too large", status=504)] * 5, listing(pod("a"), version="3"), Lines())
    told, _ = play(script)
    assert ("ADDED", "a:Running") in told
    assert script.asked[-2:] == [("list", ""), ("watch", "3")]


def test_an_absent_api_is_empty_and_looked_for_again() -> None:
    script = Script(
        NotFound("no such api", status=404),
        NotFound("no such api", status=404),
        listing(pod("a")),
        NotFound("removed", status=404),
        listing(),
    )
    told, _ = play(script)
    assert told == [
        ("SYNCED", ""),
        ("SYNCED", ""),
        ("ADDED", "a:Running"),
        ("SYNCED", ""),
        ("DELETED", "a:Running"),
        ("SYNCED", ""),
        ("SYNCED", ""),
    ]


def test_a_refusal_is_shown_and_tried_again() -> None:
    seen: list[str | None] = []
    script = Script(Forbidden("pods is forbidden", status=403), listing())
    told: list[str] = []
    reader = WatchReader(
        script,  # type: ignore[arg-type]  # only `request` and `stream` are used
        PODS,
        trim,
        lambda change, *_: (told.append(change), seen.append(reader.trouble))[0],
        label_selector=None,
        times=WatchTimes(),
        jitter=lambda: 0.0,
    )
    reader._back_off = lambda failures: 0.0  # type: ignore[method-assign]  # no waiting in tests
    script.stop = reader.stop
    reader.run()
    assert seen == ["watch of pods: pods is forbidden"]
    assert told == ["SYNCED"]
    assert reader.trouble is None


def test_an_object_of_a_foreign_shape_is_left_out_and_the_watch_goes_on() -> None:
    broken = {"metadata": {"name": "x", "namespace": "n", "resourceVersion": "11"}, "status": None}
    told, _ = play(Script(listing(pod("a"), broken), Lines(line("MODIFIED", {**pod("a"), "status": None}))))
    assert told == [("ADDED", "a:Running"), ("SYNCED", ""), ("DELETED", "a:Running")]


def test_back_off_grows_to_a_bound_with_jitter() -> None:
    def waits(jitter: float) -> list[float]:
        reader = WatchReader(
            Script(),  # type: ignore[arg-type]  # not used
            PODS,
            trim,
            lambda *_: None,
            label_selector=None,
            times=WatchTimes(),
            jitter=lambda: jitter,
        )
        return [reader._back_off(failures) for failures in (0, 1, 2, 7, 1000)]

    assert waits(0.0) == [0, 0.25, 0.5, 15, 15]
    assert waits(1.0) == [0, 0.5, 1, 30, 30]


class _Client:
    def __init__(self, transport: object) -> None:
        self.transport = transport


def cache(script: Script, on_change: Callable[[str, Mapping[str, Any]], None], **options: Any) -> WatchCache:
    made = WatchCache(_Client(script), PODS, trim, on_change, jitter=lambda: 0.0, **options)  # type: ignore[arg-type]  # only `transport` is used
    script.stop = made._reader.stop
    return made


async def settled(script: Script) -> None:
    await asyncio.to_thread(script.finished.wait, 5)
    await asyncio.sleep(0.01)


async def test_the_listener_finds_the_copy_up_to_date_and_runs_on_the_event_loop() -> None:
    heard: list[tuple[str, str, bool]] = []
    here = threading.get_ident()

    def listen(change: str, entry: Mapping[str, Any]) -> None:
        assert threading.get_ident() == here
        heard.append((change, entry["name"], entry in watch.list()))

    script = Script(listing(pod("a"), pod("b", namespace="m")), Lines(line("DELETED", pod("a"))))
    watch = cache(script, listen, index=lambda entry: [entry["phase"]])
    await watch.start()
    await asyncio.wait_for(watch.synced.wait(), 5)
    await settled(script)
    await watch.stop()
    assert heard == [("ADDED", "a", True), ("ADDED", "b", True), ("DELETED", "a", False)]
    assert [entry["name"] for entry in watch.list()] == ["b"]
    assert watch.list("n") == []
    assert [entry for entry in watch.list() if entry["phase"] == "Failed"] == []
    assert [entry["name"] for entry in watch.indexed("Running")] == ["b"]
    assert len(watch) == 1


async def test_a_listener_that_raises_loses_no_change() -> None:
    faults: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(str(context["exception"])))

    def listen(_: str, entry: Mapping[str, Any]) -> None:
        if entry["name"] == "b":
            raise RuntimeError("b is not liked")

    script = Script(listing(pod("a"), pod("b"), pod("c")))
    watch = cache(script, listen)
    await watch.start()
    await asyncio.wait_for(watch.synced.wait(), 5)
    await settled(script)
    await watch.stop()
    assert len(watch) == 3
    assert faults == ["b is not liked"]


async def test_many_changes_let_other_tasks_run_in_between() -> None:
    script = Script(listing(*(pod(f"p{i}") for i in range(5000))))
    told = 0

    def listen(*_: object) -> None:
        nonlocal told
        told += 1
        time.sleep(0.0001)  # a listener that takes its time

    watch = cache(script, listen)
    most = before = 0
    await watch.start()
    while not watch.synced.is_set():
        await asyncio.sleep(0)
        most, before = max(most, told - before), told
    await watch.stop()
    assert len(watch) == told == 5000
    assert most <= 60, "in one turn of 5 ms there is time for 50 changes of 0.1 ms; all at once would hold up the loop"
