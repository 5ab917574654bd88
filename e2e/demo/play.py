"""Plays one compressed day on a stage that is set, shows it live, and records it."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from e2e.cluster.progress import say
from e2e.demo import hpa, manifests
from e2e.demo.accounting import Fleet, FloatArray
from e2e.demo.errors import DemoError
from e2e.demo.forecasts import read_latest, read_samples
from e2e.demo.kube import Watch
from e2e.demo.observe import UseLog, describe_profile, describe_recording, find_security_warnings
from e2e.demo.opening import Opening
from e2e.demo.plan import Plan, live_rates, warm_start
from e2e.demo.podlog import DecisionLog, DocumentLog, PodLog, ReplicaLog, build_fleet, median_startup
from e2e.demo.record import Counts, RunRecord
from e2e.demo.recording import Recorded, find_in_force
from e2e.demo.stage import Stage
from e2e.demo.telemetry import read_cost, read_instances
from e2e.demo.traces import CompressedLoad
from presage.core.recording.marks import config_map_name
from presage.dataplane.demo.tally import TallyDocument

PROGRESS_SECONDS = 5.0
LOOKS_LOST = 4
"""A day goes on though a look at it fails, but not when that many in a row do."""


class Play:
    """One day: begins with the load's start epoch and ends with the record."""

    def __init__(self, stage: Stage, plan: Plan, load: CompressedLoad, folder: Path) -> None:
        """Args: folder: where watches log what went wrong with them."""
        self._stage = stage
        self._plan = plan
        self._load = load
        self._folder = folder
        self._initial = warm_start(plan, load)
        prometheus = stage.prometheus
        self._opening = Opening(stage, prometheus, prometheus.url, plan, load, live_rates(plan, load))
        self._pods = PodLog()
        self._replicas = ReplicaLog()
        self._decisions = DecisionLog()
        self._documents = DocumentLog(manifests.EVENT_TYPE)
        self._began = 0
        self._why = ""
        self._offered: FloatArray = np.array([])
        self._startup = 0.0

    @property
    def initial_replicas(self) -> int:
        """Replicas to begin with."""
        return self._initial

    def replay_rival(self, utilization: float) -> Fleet:
        """Return what the HPA rule at another share of capacity would have done with the load that was played."""
        rule = replace(self._plan, rival_utilization=utilization).rival(self._startup)
        return hpa.replay(rule, self._offered, float(self._began), self._initial)

    @property
    def _day_starts(self) -> int:
        return self._began + self._plan.warmup_seconds

    @property
    def _day_ends(self) -> int:
        return self._day_starts + self._plan.day_seconds

    def run(self) -> RunRecord:
        """Write the history, start the load, follow it to the end of the day, return what happened.

        Raises:
            DemoError: a part failed, or the load could not be played as planned.
        """
        with ExitStack() as cleanup:
            self._watch(cleanup)
            self._began = self._opening.begin()
            use = self._follow()
        counts = self._read_counts()
        return self._build_record(counts, use)

    def _watch(self, cleanup: ExitStack) -> None:
        kubectl = self._stage.kubectl
        place = f"-n={manifests.NAMESPACE}"
        log = self._folder / "watch.log"
        pods = kubectl.watch_command("pods", place, f"-l=app={manifests.FUNCTION}")
        deployment = kubectl.watch_command(f"deployment/{manifests.FUNCTION}", place)
        profile = kubectl.watch_command("metricprofiles", place)
        named = f"--field-selector=metadata.name={config_map_name(manifests.FUNCTION)}"
        document = kubectl.watch_command("configmaps", place, named)
        receivers = (self._pods.receive, self._replicas.receive, self._decisions.receive, self._documents.receive)
        for command, receive in zip((pods, deployment, profile, document), receivers, strict=True):
            cleanup.callback(Watch(command, receive, log).stop)

    def _follow(self) -> UseLog:
        plan = self._plan
        minutes = (plan.warmup_seconds + plan.day_seconds) / 60
        say(f"\none day in {plan.day_seconds} s after {plan.warmup_seconds} s of warm-up: {minutes:.1f} min from now")
        use = UseLog(self._stage.kubectl)
        turn = failures = 0
        while (now := time.time()) < self._day_ends + 1:
            try:
                if turn % 3 == 0:
                    use.sample(now)
                if now >= self._began:
                    self._show(now)
                failures = 0
            except DemoError as error:
                failures += 1
                if failures == LOOKS_LOST:
                    raise
                say(f"  no view for the moment: {error}")
            turn += 1
            time.sleep(max(0.0, min(PROGRESS_SECONDS - (time.time() - now), self._day_ends + 1.2 - time.time())))
        return use

    def _show(self, now: float) -> None:
        """Print where the day stands, load, forecast and replicas; below it why, when that has changed."""
        profile = self._stage.kubectl.get("metricprofile", manifests.FUNCTION, f"-n={manifests.NAMESPACE}")
        load = self._stage.prometheus.value(manifests.load_query(self._plan))
        ahead = read_latest(self._stage.prometheus)
        into_day, left = now - self._day_starts, self._day_ends - now
        hours = into_day / self._plan.day_seconds * 24 % 24
        clock = f"{int(hours):02d}:{int(hours % 1 * 60):02d}"
        shown = f"{ahead[0]:3.0f}..{ahead[1]:3.0f}/s in {ahead[2]:.0f} s" if ahead else "none yet"
        say(
            f"  {clock}{' (warm-up)' if into_day < 0 else ''}  {left // 60:2.0f}:{left % 60:02.0f} left"
            f"   load {load or 0:3.0f}/s   forecast {shown:<18}"
            f"   replicas {self._replicas.current} wanted, {self._pods.ready_count} ready"
            f"   records {describe_recording(profile)}"
        )
        why = describe_profile(profile)
        if why != self._why:
            say(f"         {why}")
        self._why = why

    def _read_counts(self) -> TallyDocument:
        pod = f"/api/v1/namespaces/{manifests.NAMESPACE}/pods/{manifests.GENERATOR}:{manifests.PORT}"
        document: TallyDocument = json.loads(self._stage.kubectl.run("get", "--raw", f"{pod}/proxy/counts"))
        if not document["done"]:
            raise DemoError("the load generator has not finished its day; the machine is too slow for this load")
        return document

    def _build_record(self, counts: TallyDocument, use: UseLog) -> RunRecord:
        plan, warmup = self._plan, self._plan.warmup_seconds
        startup = median_startup(self._pods, self._began)
        if startup is None:
            raise DemoError("no pod of the function became ready while it was watched")
        self._offered, self._startup = np.array(counts["sent"], dtype=float), startup
        forecasts = read_samples(self._stage.prometheus, self._day_starts, self._day_ends)
        return RunRecord(
            trace=self._load.name,
            start=float(self._day_starts),
            day_seconds=plan.day_seconds,
            history_days=self._load.history_days,
            capacity=plan.capacity,
            startup_seconds=round(startup, 3),
            rival_utilization=plan.rival_utilization,
            counts=Counts(
                sent=tuple(counts["sent"][warmup:]),
                rejected=tuple(counts["rejected"][warmup:]),
                late=tuple(counts["late"][warmup:]),
                failed=tuple(counts["failed"][warmup:]),
                behind=tuple(counts["behind"][warmup:]),
            ),
            presage=build_fleet(self._pods, self._replicas),
            rival=self.replay_rival(plan.rival_utilization),
            forecast=forecasts,
            decisions=self._decisions.decisions(),
            operator=use.operator_use(),
            machine_busy_share=None if self._stage.ground.shared else round(use.busy_share(), 3),
            warnings=tuple(find_security_warnings(self._stage.kubectl)),
            recorded=self._read_recorded(),
        )

    def _read_recorded(self) -> Recorded:
        plan, start, prometheus = self._plan, float(self._day_starts), self._stage.prometheus
        steps, present = read_instances(prometheus, float(self._began), float(self._day_ends))
        chosen = self._documents.chosen()
        in_force = find_in_force(plan.levels, chosen, steps, present, start, plan.day_seconds)
        return Recorded(
            levels=plan.levels,
            chosen=chosen,
            in_force=tuple(in_force.tolist()),
            cost=read_cost(prometheus, start, plan.day_seconds),
            restarts=self._pods.restarts,
        )
