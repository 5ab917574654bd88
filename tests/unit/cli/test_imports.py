"""The command-line tool on a workstation needs only what the extra `cli` brings."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("command", ["bundle", "check", "explain"])
def test_nothing_else_is_imported(command: str, tmp_path: Path) -> None:
    absent = f"{tmp_path}/kubeconfig"
    arguments = [command, *(["mprof/x"] if command == "explain" else [])]
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
