from __future__ import annotations

from presage.cli.check import render
from presage.core.installation.finding import failed, ok, unknown, warning


def test_text_is_aligned_and_summed_up() -> None:
    findings = [
        ok("crd", "All is well."),
        failed("lease", "Nobody acts.", "start one"),
        warning("admission", "None.", "install it"),
        unknown("rbac", "Refused.", "ask"),
    ]
    assert render(findings) == (
        "ok    crd        All is well.\n"
        "FAIL  lease      Nobody acts.\n"
        "                 → start one\n"
        "WARN  admission  None.\n"
        "                 → install it\n"
        "?     rbac       Refused.\n"
        "                 → ask\n"
        "\n"
        "1 ok, 1 to look at, 1 failed, 1 not known"
    )
