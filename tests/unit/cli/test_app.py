from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from presage.cli import app


def test_a_reader_that_has_seen_enough_is_no_traceback() -> None:
    """As with `presage check | head`, which closes its end early."""
    program = (
        "import sys; from presage.cli import app\napp._run = lambda _: print('x' * 10**6) or 0\nsys.exit(app.run(None))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


def test_an_interrupt_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "_run", interrupted)
    run: Callable[[object], int] = app.run  # type: ignore[assignment]
    assert run(None) == 130


@pytest.mark.parametrize(("command", "extra"), [("operator", "operator"), ("generate", "dev")])
def test_a_missing_extra_is_named(command: str, extra: str) -> None:
    """As on a workstation where only the extra `cli` is installed."""
    program = (
        "import sys; sys.modules.update(kopf=None, prometheus_client=None)\n"
        "from presage.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, command], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith(f"is not installed: install presage with its extra {extra}\n")
    assert len(done.stderr.splitlines()) == 1


def test_a_module_of_our_own_that_is_missing_is_a_defect() -> None:
    with pytest.raises(ModuleNotFoundError):
        app.tell_missing(ModuleNotFoundError("x", name="presage.core.x"), "cli")
