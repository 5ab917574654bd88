"""kubectl as the demo uses it: one kubeconfig, one allowed context, JSON in and out.

Invariant: nothing is ever sent to a cluster whose context name is not on the allow-list.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from e2e.demo.errors import UNREACHABLE, DemoError

ALLOWED_CONTEXTS = frozenset({"presage-full"})
Manifest = Mapping[str, Any]


class Kubectl:
    """Runs kubectl against the demo's cluster; warnings the server sends are kept in ``warnings``."""

    def __init__(
        self,
        program: Path,
        kubeconfig: Path | None,
        context: str = "presage-full",
        *,
        allowed: frozenset[str] = ALLOWED_CONTEXTS,
    ) -> None:
        """Aim at a context.

        Args:
            program: kubectl.
            kubeconfig: where the context is; None = where kubectl finds it by itself.
            context: its name.
            allowed: names that may be used.

        Raises:
            DemoError: the context is not one of them.
        """
        if context not in allowed:
            raise DemoError(f"context {context!r} is not one that the demo may use: {', '.join(sorted(allowed))}")
        self.kubeconfig = kubeconfig
        self.context = context
        place = [] if kubeconfig is None else [f"--kubeconfig={kubeconfig}"]
        self._base = [str(program), *place, f"--context={context}"]
        self.warnings: list[str] = []

    def run(self, *args: str, text: str | None = None, timeout: float = 120.0) -> str:
        """Run one command and return what it printed.

        Raises:
            DemoError: it failed or took too long.
        """
        try:
            done = subprocess.run(
                [*self._base, *args], input=text, capture_output=True, text=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise DemoError(f"kubectl {' '.join(args)}: no end after {timeout:.0f} s", UNREACHABLE) from error
        self.warnings += [line for line in done.stderr.splitlines() if line.startswith("Warning:")]
        if done.returncode != 0:
            raise DemoError(f"kubectl {' '.join(args)}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, *manifests: Manifest) -> None:
        """Apply objects server-side as the demo's field manager."""
        bundle = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.run("apply", "--server-side", "--field-manager=presage-demo", "-f", "-", text=json.dumps(bundle))

    def get(self, *args: str) -> dict[str, Any]:
        """Return one object or list as a dictionary."""
        document = json.loads(self.run("get", *args, "-o", "json"))
        if not isinstance(document, dict):
            raise DemoError(f"kubectl get {' '.join(args)}: not an object")
        return document

    def raw(self, path: str) -> dict[str, Any]:
        """Return the JSON that the API server answers on a path."""
        document = json.loads(self.run("get", "--raw", path))
        if not isinstance(document, dict):
            raise DemoError(f"kubectl get --raw {path}: not an object")
        return document

    def watch_command(self, *args: str) -> list[str]:
        """Return the command that lists and then watches, one JSON event after the other."""
        return [*self._base, "get", *args, "--watch", "--output-watch-events", "-o", "json"]


def decode_events(chunks: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a stream in which they simply follow each other."""
    decoder = json.JSONDecoder()
    buffer = ""
    for chunk in chunks:
        buffer += chunk
        while buffer := buffer.lstrip():
            try:
                event, end = decoder.raw_decode(buffer)
            except json.JSONDecodeError:
                break
            buffer = buffer[end:]
            yield event


class Watch:
    """Follows a list of objects in a thread and hands each event over with the time at which it came.

    A watch that ends is started again, and what it lists is handed over once more: the receiver must bear repeats.
    """

    def __init__(self, command: Sequence[str], receive: Callable[[float, dict[str, Any]], None], log: Path) -> None:
        """Args: command: from ``watch_command``; receive: gets (Unix seconds, event) in the watch's thread."""
        self._command = list(command)
        self._receive = receive
        self._log = log
        self._stopped = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        while not self._stopped.is_set():
            with (
                self._log.open("a") as errors,
                subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
            ):
                self._process = process
                for event in decode_events(process.stdout or ()):
                    self._receive(time.time(), event)
            self._stopped.wait(0.5)

    def stop(self) -> None:
        """End the watch."""
        self._stopped.set()
        if self._process is not None:
            self._process.terminate()
        self._thread.join(timeout=5)
