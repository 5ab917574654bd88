"""Reads the injected document from a file that may be anything: half written, huge, a pipe, a link to elsewhere."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from presage.core.recording.document import MAX_BYTES, Document, DocumentError, parse_document

RETRY_S = 10.0
"""Seconds after which a file that could not be used is read again though it looks the same."""

PATIENCE_S = 300.0
"""Seconds for which a generation that is not higher must stay before it is believed."""

Signature = tuple[int, int, int, int]


class DocumentFile:
    """The newest good document of a file.

    A document of the same MetricProfile must have a higher generation than the one in force: a lower one is a node
    that lags behind. One that stays for five minutes is what the API server has now, as after a restore from a backup,
    and is taken.
    """

    def __init__(self, path: str, refuse: Callable[[str, str], None]) -> None:
        """Args: path: the file; refuse: told a kind of failure (`unreadable`, `invalid`, `generation`) and its text."""
        self._path = path
        self._refuse = refuse
        self._seen: Signature | None = None
        self._read_at = 0.0
        self._failed = False
        self._waiting: tuple[tuple[str, str, int], float] | None = None
        self._current: Document | None = None

    def look(self, now: float) -> Document | None:
        """Return the document if it is a new one to put in force, else None. Never raises.

        Args:
            now: Monotonic seconds.
        """
        try:
            found = os.stat(self._path)
        except (OSError, ValueError):
            self._seen = None
            return None  # the volume is optional: no file is no failure, and what is in force stays
        signature = (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)
        if signature == self._seen and not (self._failed and now >= self._read_at + RETRY_S):
            return None
        self._seen, self._read_at, self._failed = signature, now, True
        try:
            document = parse_document(self._read())
        except DocumentError as problem:
            self._refuse("invalid", str(problem))
            return None
        except (OSError, ValueError, RecursionError, MemoryError) as problem:
            self._refuse("unreadable", f"cannot be read: {type(problem).__name__}")
            return None
        self._failed = False
        return self._judge(document, now)

    def _judge(self, document: Document, now: float) -> Document | None:
        current = self._current
        if current is not None and document == current:
            self._waiting = None
            return None
        if current is None or _owner(document) != _owner(current) or document.generation > current.generation:
            self._current, self._waiting = document, None
            return document
        what = (*_owner(document), document.generation)
        if self._waiting is None or self._waiting[0] != what:
            self._waiting = (what, now)
            self._refuse("generation", "the generation is not higher than the one in force")
        self._failed = True  # look again
        if now - self._waiting[1] < PATIENCE_S:
            return None
        self._current, self._waiting, self._failed = document, None, False
        return document

    def _read(self) -> bytes:
        folder = os.path.realpath(Path(self._path).parent)
        real = os.path.realpath(self._path)
        if os.path.commonpath((folder, real)) != folder:
            raise DocumentError("the file is a link out of its directory")
        handle = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not hold us up
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise DocumentError("not a regular file")
            if found.st_size > MAX_BYTES:
                raise DocumentError(f"longer than {MAX_BYTES} bytes")
            with open(handle, "rb", closefd=False) as file:
                return file.read(MAX_BYTES + 1)
        finally:
            os.close(handle)


def _owner(document: Document) -> tuple[str, str]:
    return document.recording.namespace, document.recording.name
