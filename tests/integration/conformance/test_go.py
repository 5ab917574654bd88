"""A reader and sampler in another language, written from the docs alone, passes the conformance kit."""

from __future__ import annotations

import subprocess
from pathlib import Path

from conformance.run import judge, load_vectors, play_program

GO = Path(__file__).parents[3] / "conformance/go"


def test_the_reader_and_sampler_in_go_pass(tmp_path: Path) -> None:
    program = tmp_path / "conformance"
    subprocess.run(["go", "build", "-o", program, "."], cwd=GO, check=True)
    wrong = judge(load_vectors(), play_program([str(program)]))
    assert [vector["name"] for vector, _ in wrong if vector["level"] == "must"] == []
