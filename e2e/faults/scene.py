"""One load that is known by the second, presage on it, and all that is written down meanwhile.

A scene is opened as often as it must be: a test asks for a second of the played day, and if that is over, a new day
begins, with the same history. Nothing of an earlier day is left then but the operator.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from e2e.cluster.control_plane import AUDIT_LOG
from e2e.cluster.progress import part
from e2e.demo import manifests
from e2e.demo.kube import Watch
from e2e.demo.opening import Opening
from e2e.demo.podlog import ReplicaLog
from e2e.demo.prometheus import PORT, Prometheus, render_config
from e2e.demo.stage import Stage
from e2e.faults.operators import Operators
from e2e.faults.proxy import EmptyingProxy
from e2e.faults.steps import Step, find_drops, find_shortages
from e2e.faults.wave import HISTORY_DAYS, PLAN, Clock, build_history, build_live
from e2e.faults.written import Write, parse_log
from e2e.waiting import eventually

BEHIND_THE_PROXY = 9091
FIRST_REPLICAS = 2
_PLACE = f"-n={manifests.NAMESPACE}"
_LOOK_SECONDS = 0.5
_TIME_TO_LIVE_SECONDS = 30
_RESTART_SECONDS = 60
_A_WHILE_SECONDS = 60


class Scene:
    """The stage with a played day on it."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        """Args: stage: set up by this scene; folder: where the watch logs what went wrong with it."""
        self.stage = stage
        self.kubectl = stage.kubectl
        self.operators = Operators(stage.kubectl, stage.cluster)
        self.prometheus = Prometheus(stage.cluster, BEHIND_THE_PROXY)
        self._proxy: EmptyingProxy | None = None
        self._folder = folder
        self._replicas = ReplicaLog()
        self._watch: Watch | None = None
        self._clock: Clock | None = None
        self._opened_at = 0.0
        self.first_generation = 0

    @property
    def clock(self) -> Clock:
        """The played day's clock."""
        assert self._clock is not None, "no day is played: ask for one by `at`"
        return self._clock

    @property
    def proxy(self) -> EmptyingProxy:
        """What stands between presage and Prometheus."""
        assert self._proxy is not None, "no day is played: ask for one by `at`"
        return self._proxy

    def at(self, second: float) -> None:
        """Wait for a second of the played day, or of a new one where it is over; presage works as it should then."""
        if self._clock is None or time.time() > self._clock.at(second):
            self._open()
        wait = self.clock.at(second) - time.time()
        with part(f"second {second:g} of the day", "waiting for", "there"):
            time.sleep(max(0.0, wait))
        self.expect_live()

    def at_any_time(self) -> None:
        """See that a day is played, of which a while is left; presage works as it should then."""
        if self._clock is None or time.time() > self._clock.ends - _A_WHILE_SECONDS:
            self._open()
        self.expect_live()

    def expect_live(self) -> None:
        """See that two operators are there, that data is fresh and what is ahead is known, within a few seconds.

        The played days are alike but for noise, so what earlier days showed may serve as well as the forecast: either
        foresees the rises.
        """
        eventually(self._has_two_operators, bool, 15, "two operators are ready")
        eventually(self.operators.deciding, bool, 15, "one of them decides")
        self.wait_for("DataAvailable", "True", within_s=10)
        what = "the forecast or earlier days drive scaling"
        eventually(lambda: self.condition("ForecastTrusted"), _foresees, 10, what, each_s=_LOOK_SECONDS)

    def _open(self) -> None:
        self.close()
        self.stage.set_up(PLAN, FIRST_REPLICAS, keep_operator=True)
        with part("two operators", "waiting"):  # one that crashed before is started again late
            eventually(self._has_two_operators, bool, _RESTART_SECONDS, "two operators are ready")
        self._opened_at, self.first_generation = time.time(), self.generation()
        self._replicas = ReplicaLog()
        command = self.kubectl.watch_command(f"deployment/{manifests.FUNCTION}", _PLACE)
        self._watch = Watch(command, self._replicas.receive, self._folder / "watch.log")
        self._proxy = EmptyingProxy(self.stage.cluster.host_ip, PORT, self.prometheus.url)
        opening = Opening(self.stage, self.prometheus, self.proxy.url, PLAN, build_history(), build_live())
        self._clock = Clock(opening.begin())
        with part("presage on the load", "waiting"):
            self.wait_for("DataAvailable", "True", within_s=_TIME_TO_LIVE_SECONDS)

    def declare(self, **scaling: Any) -> None:
        """Apply MetricSource and MetricProfile, the latter with other settings of scaling where some are given."""
        profile = manifests.build_profile(PLAN, HISTORY_DAYS)
        profile["spec"]["scaling"].update(scaling)
        self.kubectl.apply(manifests.build_source(self.proxy.url), profile)

    def _has_two_operators(self) -> bool:
        return [pod.ready for pod in self.operators.pods()] == [True, True]

    def close(self) -> None:
        """End the day that is played; the stage stays as it is."""
        self._clock = None
        for part_of_it in (self._watch, self._proxy):
            if part_of_it is not None:
                part_of_it.stop()
        self._watch = self._proxy = None

    def profile(self) -> dict[str, Any]:
        """Return the MetricProfile."""
        return self.kubectl.get("metricprofile", manifests.FUNCTION, _PLACE)

    def condition(self, kind: str) -> dict[str, Any]:
        """Return one condition of the MetricProfile; empty status and reason where it is not there."""
        return find_condition(self.profile(), kind)

    def wait_for(self, kind: str, status: str, reason: str = "", *, within_s: float) -> dict[str, Any]:
        """Wait for a condition of the MetricProfile and return it."""

        def accept(found: dict[str, Any]) -> bool:
            return found["status"] == status and reason in ("", found["reason"])

        what = f"{kind} is {status} {reason}".rstrip()
        return eventually(lambda: self.condition(kind), accept, within_s, what, each_s=_LOOK_SECONDS)

    @property
    def replicas(self) -> int:
        """Replicas asked of the target now."""
        return self._replicas.current or 0

    def steps(self) -> tuple[Step, ...]:
        """Return every (time, replicas) at which the number changed since the day was opened."""
        return self._replicas.steps()

    def generation(self) -> int:
        """Return how often the target's spec was changed; nobody but presage changes it while a day is played."""
        return int(self.kubectl.get("deployment", manifests.FUNCTION, _PLACE)["metadata"]["generation"])

    def drops(self, begin: float, end: float) -> list[str]:
        """Return every fall of the replicas between two times, for a person."""
        return [
            f"second {self.clock.second(when):.1f}: from {before} to {after}"
            for when, before, after in find_drops(self.steps(), begin, end)
        ]

    def shortages(self, begin: float, end: float) -> list[str]:
        """Return every second between two times in which fewer replicas were asked for than the load needs."""
        return [
            f"second {self.clock.second(when):.0f}: {replicas} of {need}"
            for when, replicas, need in find_shortages(self.steps(), self.clock.need, begin, end)
        ]

    def wait_until(self, second: float, label: str) -> None:
        """Wait for a second of the day that is played; one that is over is not waited for."""
        with part(label, "waiting", "over"):
            time.sleep(max(0.0, self.clock.at(second) - time.time()))

    def writes(self) -> list[Write]:
        """Return what pods wrote since the day was opened, in the API server's own words."""
        with (self.stage.cluster.logs / AUDIT_LOG).open() as log:
            return [write for write in parse_log(log) if write.at >= self._opened_at]

    def scales(self) -> list[Write]:
        """Return the scales of the target since the day was opened."""
        return [
            write
            for write in self.writes()
            if write.place == "apps/deployments/scale"
            and (write.namespace, write.name) == (manifests.NAMESPACE, manifests.FUNCTION)
        ]

    def events(self, reason: str = "") -> list[Write]:
        """Return presage's events about the profile since the day was opened; of one reason where one is given."""
        return [
            write
            for write in self.writes()
            if write.place == "events.k8s.io/events"
            and write.body.get("regarding", {}).get("name") == manifests.FUNCTION
            and reason in ("", write.body.get("reason"))
        ]

    def ready_pods(self) -> list[str]:
        """Return the names of the target's pods that are Ready."""
        pods = self.kubectl.get("pods", _PLACE, f"-l=app={manifests.FUNCTION}")["items"]
        return sorted(pod["metadata"]["name"] for pod in pods if find_condition(pod, "Ready")["status"] == "True")

    def scrape_all_but(self, names: list[str]) -> None:
        """Let Prometheus leave some of the target's pods out, as a mended scrape configuration would."""
        config = render_config(
            self.stage.cluster.kubeconfig, manifests.NAMESPACE, manifests.OPERATOR_NAMESPACE, unscraped=names
        )
        self.prometheus.reload(config)


def _foresees(trusted: dict[str, Any]) -> bool:
    return trusted["status"] == "True" or "earlier days" in trusted["message"]


def find_condition(body: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return one condition of an object; empty status and reason where it is not there."""
    conditions = body.get("status", {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), {"status": "", "reason": "", "message": ""})
