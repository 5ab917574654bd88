"""The command-line tool on a workstation needs only what the extra `cli` brings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.unit.cli.loads.samples import rows, write

ROOT = Path(__file__).parents[3]
LOCKED = {
    line.partition("==")[0].replace("-", "_")
    for line in (ROOT / "requirements/cli.txt").read_text().splitlines()
    if re.match(r"[a-z]", line)
}
PROGRAM = """
import sys
class Guard:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BARRED:
            raise ImportError(name + " is not in the extra cli")
BARRED = set(sys.argv.pop(1).split(","))
sys.meta_path.insert(0, Guard())
from presage.__main__ import main
for module in sys.argv.pop(1).split(","):
    __import__(module)
sys.exit(main(sys.argv[1:]))
"""


def barred() -> str:
    """Return the modules that only other extras bring."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {
        re.split(r"[>=\[ ]", wanted)[0].lower().replace("-", "_")
        for extra in ("operator", "dev")
        for wanted in project["optional-dependencies"][extra]
    }
    return ",".join(sorted((names | {"pandas", "scipy"}) - LOCKED - {"presage"}))


@pytest.mark.parametrize("command", ["bundle", "check", "explain", "forecast"])
def test_nothing_else_is_imported(command: str, tmp_path: Path) -> None:
    absent = f"{tmp_path}/kubeconfig"
    arguments = [command, *(["mprof/x"] if command in ("explain", "forecast") else [])]
    assert "kopf" in barred()
    assert "kubernetes" in barred()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, barred(), f"presage.cli.{command}", *arguments],
        env={"KUBECONFIG": absent},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert absent in done.stderr
    assert len(done.stderr.splitlines()) == 1


def run_guarded(more: str, *arguments: object, command: str = "backtest") -> subprocess.CompletedProcess[str]:
    """Run a command where the modules in `more` cannot be imported either."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, f"{barred()},{more}", "presage.cli", command, *map(str, arguments)],
        env={"HOME": str(ROOT)} | {name: os.environ[name] for name in ("HOME", "MPLCONFIGDIR") if name in os.environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_backtest_needs_numpy_alone_and_matplotlib_for_a_picture(tmp_path: Path) -> None:
    write(tmp_path / "load.csv", rows(4))
    assert "statsmodels" in barred()
    heavy = "matplotlib,PIL,pydantic,yaml,requests,pykube,structlog,asyncio"
    for options in ((), ("--plot", tmp_path / "x.html", "--format", "json")):
        done = run_guarded(heavy, "--csv", tmp_path / "load.csv", *options)
        assert (done.returncode, done.stderr) == (0, "")
    done = run_guarded("matplotlib", "--csv", tmp_path / "load.csv", "--plot", tmp_path / "x.png")
    assert done.returncode == 1, "the guard is at work"
    assert "matplotlib is not in the extra cli" in done.stderr
    done = run_guarded("pydantic,yaml", "--csv", tmp_path / "load.csv", "--plot", tmp_path / "x.png")
    assert (done.returncode, done.stderr) == (0, "")
    done = run_guarded("pydantic,matplotlib", "--prometheus", "http://127.0.0.1:9", "--query", "x")
    assert (done.returncode, len(done.stderr.splitlines())) == (3, 1), "requests is enough to ask"


def test_a_simulation_needs_numpy_alone(tmp_path: Path) -> None:
    write(tmp_path / "load.csv", rows(4, 60))
    heavy = "matplotlib,PIL,pydantic,yaml,requests,pykube,structlog,asyncio"
    options = ("--per-pod", 20, "--max", 20, "--last", "6h", "--plot", tmp_path / "x.html")
    done = run_guarded(heavy, "--csv", tmp_path / "load.csv", *options, command="simulate")
    assert done.returncode == 0, done.stderr  # progress is told where the machine is slow
