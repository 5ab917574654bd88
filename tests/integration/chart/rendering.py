"""The chart as `helm template` renders it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml

from e2e.cluster import ensure_binary

CHART = Path(__file__).parents[3] / "charts" / "presage"


def render(*settings: str, show_only: str = "", values: Path | None = None) -> list[dict[str, Any]]:
    """Return the rendered objects.

    Args:
        settings: Values as `--set` takes them.
        show_only: Only this template.
        values: A file of values.
    """
    words = [str(ensure_binary("helm")), "template", "presage", str(CHART), "--namespace", "presage-system"]
    words += ["--api-versions", "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"]  # as a cluster would say
    words += [f"--set={setting}" for setting in settings]
    words += ["--show-only", show_only] if show_only else []
    words += ["--values", str(values)] if values else []
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]
