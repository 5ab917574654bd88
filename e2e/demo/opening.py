"""Begins a load: history in Prometheus, the generator with its schedule, MetricSource and MetricProfile."""

from __future__ import annotations

import time
from dataclasses import dataclass

from e2e.cluster.progress import part, say
from e2e.demo import manifests
from e2e.demo.accounting import FloatArray
from e2e.demo.errors import DemoError
from e2e.demo.plan import Plan, history_counter
from e2e.demo.prometheus import PrometheusServer, prove_history, render_config, render_openmetrics
from e2e.demo.stage import Stage
from e2e.demo.traces import CompressedLoad
from presage.dataplane.demo.schedule import RateSchedule, render_schedule

_PROVEN = (0.01, 0.25, 0.5, 0.75, 0.97)
"""Where the history is compared with what was written, as shares of it."""


@dataclass(frozen=True)
class Opening:
    """What a play needs before its load begins.

    Attributes:
        stage: set up, with the function on it.
        prometheus: the server that scrapes it.
        source_url: where presage asks; the server's own address, or that of something before it.
        plan: the figures of the play.
        load: its days but the last one are the history.
        live: requests a second to be sent, on the load's step; the warm-up comes first.
    """

    stage: Stage
    prometheus: PrometheusServer
    source_url: str
    plan: Plan
    load: CompressedLoad
    live: FloatArray

    def begin(self) -> int:
        """Put everything in place; return the Unix second at which the load begins, which is still to come.

        Raises:
            DemoError: a part failed, or the generator was ready too late.
        """
        stage = self.stage
        begins = int(time.time()) + self.prometheus.start_seconds
        schedule = RateSchedule(begins, self.load.step_seconds, tuple(self.live.tolist()))
        with part("load generator", "applying", "applied"):
            stage.kubectl.apply(*manifests.build_generator(stage.function_image, render_schedule(schedule)))
        with part("Prometheus with history"):
            proof = self._start_prometheus(begins)
        say(f"  {self.load.history_days} days of history: {proof}")
        with part("MetricSource, MetricProfile", "applying", "applied"):
            stage.kubectl.apply(manifests.build_source(self.source_url))
            stage.kubectl.apply(manifests.build_profile(self.plan, self.load.history_days))
        self._wait_for_generator(begins)
        return begins

    def _start_prometheus(self, begins: int) -> str:
        prometheus, plan = self.prometheus, self.plan
        prometheus.prepare(render_config(prometheus.kubeconfig, manifests.NAMESPACE, manifests.OPERATOR_NAMESPACE))
        times, values = history_counter(self.load, plan.warmup_seconds, begins)
        labels = {"namespace": manifests.NAMESPACE, "route": "/order", "pod": "history"}
        prometheus.import_history(render_openmetrics(labels, times, values))
        prometheus.start()
        window = plan.window_seconds
        moments = [max(int(share * (len(times) - 1)), window) for share in _PROVEN]
        # A rate over w seconds of samples 1 s apart spans w - 1 of them and is extrapolated to w.
        expected = [
            (times[index] + 0.5, (values[index] - values[index - window + 1]) / (window - 1)) for index in moments
        ]
        return prove_history(prometheus, manifests.load_query(plan), expected)

    def _wait_for_generator(self, begins: int) -> None:
        pod = f"pod/{manifests.GENERATOR}"
        self.stage.kubectl.run("wait", "--for=condition=Ready", pod, f"-n={manifests.NAMESPACE}", "--timeout=30s")
        late = time.time() - begins
        if late > 0:
            raise DemoError(f"the load generator was ready {late:.1f} s after the load should have begun; try again")
