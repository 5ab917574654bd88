"""The chart as `helm template` renders it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[2] / "charts" / "presage"
POLICY_APIS = {
    "1.36": ("v1", ["--api-versions", "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"]),
    "1.34": ("v1beta1", ["--api-versions", "admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy"]),
}


def run(helm: Path, *arguments: str, values: Path | None = None) -> subprocess.CompletedProcess[str]:
    given = ["--values", str(values)] if values else []
    return subprocess.run([str(helm), *arguments, *given], capture_output=True, text=True, timeout=60, check=False)


def render(helm: Path, values: Path | None = None, *more: str) -> str:
    done = run(helm, "template", "presage", str(CHART), "--namespace", "presage-system", *more, values=values)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(rendered: str) -> dict[str, dict[str, Any]]:
    """Return the objects by kind, but for those of injection."""
    return {each["kind"]: each for each in yaml.safe_load_all(rendered) if each and not is_for_injection(each)}


def is_for_injection(each: dict[str, Any]) -> bool:
    return bool(each["metadata"].get("labels", {}).get("app.kubernetes.io/component") == "injection")


def injection(rendered: str) -> dict[str, dict[str, Any]]:
    """Return the objects of injection by kind."""
    return {each["kind"]: each for each in yaml.safe_load_all(rendered) if each and is_for_injection(each)}
