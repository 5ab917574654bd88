"""What is rendered is taken by the real programs, and brings series of each tier to its own server and no other."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from e2e.bench.processes import free_port
from e2e.waiting import eventually
from tests.integration.operator.harness import running
from tests.integration.retention.servers import Functions, prometheus, render, victoria_metrics, vmagent


def check(*argv: object, folder: Path) -> None:
    done = subprocess.run([*map(str, argv)], cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.parametrize("more", [(), ("--targets", "a:1,b:2")], ids=["found by Kubernetes", "given targets"])
def test_prometheus_takes_the_files(promtool: Path, tmp_path: Path, more: tuple[str, ...]) -> None:
    render(tmp_path, "--backend", "Prometheus", "--tiers", "2h,15d", "--default-tier", "15d", *more)
    for tier in ("2h", "15d"):
        (tmp_path / "prometheus.yml").write_text(f"scrape_config_files: [scrape-{tier}.yml]\n")
        check(promtool, "check", "config", "prometheus.yml", folder=tmp_path)
    rules = (tmp_path / "other-jobs.metric-relabel.yml").read_text().replace("\n", "\n  ")
    job = f"- job_name: mine\n  static_configs: [{{targets: ['a:1']}}]\n  metric_relabel_configs:\n  {rules}"
    (tmp_path / "prometheus.yml").write_text(f"scrape_configs:\n{job}")
    check(promtool, "check", "config", "prometheus.yml", folder=tmp_path)


@pytest.mark.parametrize("more", [(), ("--targets", "a:1,b:2")], ids=["found by Kubernetes", "given targets"])
def test_vmagent_takes_the_files(victoria: Path, tmp_path: Path, more: tuple[str, ...]) -> None:
    render(tmp_path, "--backend", "VictoriaMetrics", "--tiers", "1d,52w", "--default-tier", "52w", *more)
    arguments = [line.removeprefix("- ") for line in (tmp_path / "vmagent.args.yml").read_text().splitlines()[2:]]
    assert len(arguments) == 5
    check(victoria / "vmagent", *arguments, "-dryRun", folder=tmp_path)
    broken = (tmp_path / "vmagent-relabel-1d.yml").read_text().replace("action: keep", "action: hold")
    (tmp_path / "vmagent-relabel-1d.yml").write_text(broken)
    with pytest.raises(AssertionError):
        check(victoria / "vmagent", *arguments, "-dryRun", folder=tmp_path)


def test_prometheus_servers_keep_a_tier_each(prometheus_binary: Path, functions: Functions, tmp_path: Path) -> None:
    where = f"127.0.0.1:{functions.port}"
    tiers = ("--tiers", "20s,40s", "--default-tier", "40s", "--targets", where, "--interval", "1s")
    folder = render(tmp_path, "--backend", "Prometheus", *tiers)
    short, long = (prometheus(prometheus_binary, folder, tier, block="2h") for tier in ("20s", "40s"))
    with running(short, long):
        eventually(short.tiers, bool, 20, "series arrive")
        eventually(long.tiers, bool, 20, "series arrive")
        assert (short.tiers(), long.tiers()) == ({"20s"}, {"40s"})
        assert (short.query("other"), len(long.query("other"))) == ([], 1), "what has no tier goes to the default one"


def test_vmagent_sends_each_tier_to_its_node(victoria: Path, functions: Functions, tmp_path: Path) -> None:
    ports = {"1d": free_port(), "2d": free_port()}
    tiers = ",".join(f"{tier}=http://127.0.0.1:{port}" for tier, port in ports.items())
    options = ("--default-tier", "1d", "--targets", f"127.0.0.1:{functions.port}", "--interval", "1s")
    folder = render(tmp_path, "--backend", "VictoriaMetrics", "--tiers", tiers, *options)
    short, long = (victoria_metrics(victoria / "victoria-metrics", folder, tier, port) for tier, port in ports.items())
    with running(short, long, vmagent(victoria / "vmagent", folder)):
        for node in (short, long):  # the newest half minute is not shown
            eventually(node.tiers, bool, 60, "series arrive")
        assert (short.tiers(), long.tiers()) == ({"1d"}, {"2d"})
        assert (len(short.query("other")), long.query("other")) == (1, [])
