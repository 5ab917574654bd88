"""`presage generate`: write what is derived from the kinds, or check that it is as committed."""

from __future__ import annotations

import sys
from pathlib import Path

from presage.runtime.generate import render_all
from presage.runtime.kinds import KINDS


def generate(root: str, *, check: bool) -> int:
    """Write every generated file below `root`, or with `check` only compare; return the exit code."""
    stale = []
    for relative, content in render_all(KINDS).items():
        path = Path(root, relative)
        if path.is_file() and path.read_text(encoding="utf-8") == content:
            continue
        stale.append(str(relative))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    for name in stale:
        print(f"{name} is stale: run `make crds`" if check else f"wrote {name}", file=sys.stderr)
    return 1 if stale and check else 0
