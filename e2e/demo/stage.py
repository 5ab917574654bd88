"""Sets the stage and clears it: cluster, images, presage by Helm, the function; every step can be repeated."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

from e2e.cluster import Cluster, ensure_binary
from e2e.cluster.progress import part
from e2e.demo import manifests
from e2e.demo.errors import BAD_INPUT, DemoError
from e2e.demo.ground import Ground, OwnCluster
from e2e.demo.kube import Kubectl
from e2e.demo.plan import Plan
from e2e.demo.prometheus import PrometheusServer

CHART = Path("charts/presage")
STATUS_REFRESH_SECONDS = 5
"""Explanations are refreshed often here: ten minutes of a day are a few seconds of a compressed one."""
CRD_STEP = ("apply", "--server-side", "--force-conflicts", "-f")
CRDS = ("metricprofiles.presage.dev", "metricsources.presage.dev")


class Stage:
    """The cluster and what the demo puts into it."""

    def __init__(self, root: Path, ground: Ground) -> None:
        """Args: root: the repository's folder; ground: the cluster to play on, up or not."""
        self.root = root
        self.ground = ground
        self.function_image = ""
        self._operator_image = ""
        self._lock: int | None = None
        self._installed: Path | None = None

    @property
    def kubectl(self) -> Kubectl:
        """Kubectl on the stage's cluster; warnings are kept between uses."""
        return self.ground.kubectl

    @property
    def prometheus(self) -> PrometheusServer:
        """The server that scrapes the stage."""
        return self.ground.prometheus

    @property
    def cluster(self) -> Cluster:
        """The cluster itself, for what only one of our own allows.

        Raises:
            DemoError: the stage is on a cluster of the user's.
        """
        if not isinstance(self.ground, OwnCluster):
            raise DemoError(f"this needs a cluster of the cluster tool; {self.ground.name} is not one", BAD_INPUT)
        return self.ground.cluster

    def set_up(self, plan: Plan, replicas: int, *, keep_operator: bool = False) -> None:
        """Bring everything up to the point where load and history can begin.

        Args:
            plan: figures of the function.
            replicas: of the function, to begin with.
            keep_operator: leave the operator where this very object has installed the present chart.

        Raises:
            DemoError: a part failed, or another run uses the cluster.
        """
        if keep_operator and self._installed == self.chart and self.ground.is_up():
            with part("what an earlier load left", "clearing", "cleared"):
                self._clear_load()
        else:
            self._set_up_operator()
        with part("function", "applying", "ready"):
            self.kubectl.apply(*manifests.build_function(self.function_image, plan, replicas))
            self.kubectl.run(
                "rollout", "status", f"deployment/{manifests.FUNCTION}", f"-n={manifests.NAMESPACE}", "--timeout=120s"
            )

    def _set_up_operator(self) -> None:
        self.ground.ensure_up()
        self.kubectl.warnings.clear()
        with part("what an earlier run left", "clearing", "cleared"):
            self.clear()
        self.function_image, self._operator_image = map(self.ground.provide_image, ("dataplane", "operator"))
        self.prometheus.provide()
        with part("namespaces", "applying", "applied"):
            self.kubectl.apply(
                manifests.build_namespace(manifests.NAMESPACE), manifests.build_namespace(manifests.OPERATOR_NAMESPACE)
            )
        with part("presage by Helm", "installing", "installed"):
            self.install(self.chart)

    @property
    def chart(self) -> Path:
        """The chart as it is now."""
        return self.root / CHART

    def install(self, chart: Path, *settings: str) -> None:
        """Install presage from a chart, or bring the release to it; return when it is ready.

        Args:
            chart: folder of the chart.
            settings: more of Helm's flags.

        Raises:
            DemoError: Helm refuses it, or it is not ready in time.
        """
        self._installed = None
        repository, _, tag = self._operator_image.rpartition(":")
        self.helm(
            "upgrade", "--install", manifests.RELEASE, str(chart), "--create-namespace",
            f"--set=image.repository={repository}", f"--set-string=image.tag={tag}",
            "--set=image.pullPolicy=IfNotPresent", f"--set=operator.statusRefreshSeconds={STATUS_REFRESH_SECONDS}",
            "--wait", "--timeout=180s", *settings,
        )  # fmt: skip
        self._installed = chart

    def upgrade_crds(self) -> None:
        """Bring the CRDs up to the present ones by the step that the README gives: Helm never changes CRDs."""
        self.kubectl.run(*CRD_STEP, str(self.root / "crds"))

    def roll_back(self) -> None:
        """Go back to the release's revision before this one.

        Raises:
            DemoError: Helm could not, or it is not ready in time.
        """
        self._installed = None
        self.helm("rollback", manifests.RELEASE, "--wait", "--timeout=180s")

    def uninstall(self) -> None:
        """Take the release away; the CRDs stay, as Helm leaves them.

        Raises:
            DemoError: Helm could not.
        """
        self._installed = None
        self.helm("uninstall", manifests.RELEASE, "--ignore-not-found", "--wait")

    def helm(self, *args: str) -> str:
        """Run one Helm command in the release's namespace and return what it printed.

        Raises:
            DemoError: it failed.
        """
        kubeconfig, context = self.kubectl.kubeconfig, self.kubectl.context
        base = [str(ensure_binary("helm")), f"--kube-context={context}", f"--namespace={manifests.OPERATOR_NAMESPACE}"]
        base += [] if kubeconfig is None else [f"--kubeconfig={kubeconfig}"]
        done = subprocess.run([*base, *args], capture_output=True, text=True, timeout=300, check=False)
        lines = (done.stdout + done.stderr).splitlines()
        self.kubectl.warnings += [line for line in lines if "warning" in line.lower()]
        if done.returncode != 0:
            raise DemoError(f"helm {args[0]}: {done.stderr.strip()}")
        return done.stdout

    def _claim(self) -> None:
        """Keep other runs off this cluster until this process ends."""
        if self._lock is not None:
            return
        self.ground.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self.ground.folder / "demo.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise DemoError("another run of the demo or of its test uses this cluster: wait for it or end it") from None
        self._lock = lock

    def clear(self) -> None:
        """Remove load, function, presage with its kinds, and Prometheus; nothing there is not an error.

        Raises:
            DemoError: something would not go, or another run uses the cluster.
        """
        if not self.ground.is_up():
            if not self.ground.shared:
                self.prometheus.remove()
            return
        self._claim()
        if self.ground.shared:
            self._refuse_what_is_not_ours()
        self.prometheus.remove()
        gone = "--ignore-not-found"
        self.kubectl.run("delete", "pod,deployment", "--all", f"-n={manifests.NAMESPACE}", "--wait=false", gone)
        self._delete_own_objects()
        self.uninstall()
        self.kubectl.run("delete", "crd", *CRDS, gone)
        spaces = (manifests.NAMESPACE, manifests.OPERATOR_NAMESPACE)
        self.kubectl.run("delete", "namespace", *spaces, gone, "--timeout=90s")

    def _refuse_what_is_not_ours(self) -> None:
        """See that namespaces and kinds are those of an earlier run; a presage that somebody uses must stay."""
        found = self.kubectl.get("namespaces")["items"]
        labels = {each["metadata"]["name"]: each["metadata"].get("labels", {}) for each in found}
        key, value = manifests.OWNER
        for name in (manifests.NAMESPACE, manifests.OPERATOR_NAMESPACE):
            if name in labels and labels[name].get(key) != value:
                raise DemoError(f"namespace {name} is there already and not the demo's: it would be removed", BAD_INPUT)
        kinds = self.kubectl.run("get", "crd", *CRDS, "--ignore-not-found", "-o", "name").split()
        if kinds and manifests.OPERATOR_NAMESPACE not in labels:
            raise DemoError(
                f"presage is on {self.ground.name} already ({', '.join(kinds)}): the demo would remove its kinds",
                BAD_INPUT,
            )

    def _clear_load(self) -> None:
        """Remove what a load needs, and wait until no pod of it serves any more; the operator stays."""
        self.prometheus.remove()
        self._delete_own_objects()
        self.kubectl.run("delete", "deployment,pod", "--all", f"-n={manifests.NAMESPACE}", "--timeout=60s")

    def _delete_own_objects(self) -> None:
        gone = "--ignore-not-found"
        if self.kubectl.run("get", "crd", *CRDS, gone, "-o", "name").strip():
            self.kubectl.run("delete", "metricprofiles.presage.dev", "--all", "--all-namespaces", gone)
            self.kubectl.run("delete", "metricsources.presage.dev", "--all", gone)
