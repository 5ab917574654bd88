"""Plays test vectors to a program and says which of its answers are wrong; needs Python alone.

usage: python3 conformance/run.py PROGRAM [ARGUMENT ...]

The program reads one JSON object a line on standard input, and answers each with one JSON object a line on standard
output. conformance/README.md says what is asked. Exit codes: 0 all that must be right is, 1 something is not, 2 usage.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).with_name("vectors")
TIMEOUT_S = 120.0
Vector = dict[str, Any]
Play = Callable[[Sequence[str]], Sequence[str]]
"""Takes all questions, a line each; returns as many answers."""


def load_vectors(folder: Path = VECTORS) -> list[Vector]:
    """Return all vectors: name, level (`must` or `should`), ask, want."""
    return [
        {**each, "name": f"{path.stem}: {each['name']}"}
        for path in sorted(folder.glob("*.json"))
        for each in json.loads(path.read_text(encoding="utf-8"))
    ]


def judge(vectors: Iterable[Vector], play: Play) -> list[tuple[Vector, str]]:
    """Return the vectors that are answered wrongly, each with the answer."""
    given = list(vectors)
    answers = list(play([json.dumps(each["ask"]) for each in given]))
    answers += ["no answer"] * (len(given) - len(answers))
    return [(each, answer) for each, answer in zip(given, answers, strict=False) if _read(answer) != each["want"]]


def _read(answer: str) -> object:
    try:
        return json.loads(answer)
    except ValueError:
        return None


def play_program(argv: Sequence[str]) -> Play:
    """Return what plays questions to a program."""

    def play(questions: Sequence[str]) -> Sequence[str]:
        lines = "".join(f"{each}\n" for each in questions)
        done = subprocess.run(  # noqa: S603  # the program that its user names
            argv, input=lines, stdout=subprocess.PIPE, text=True, timeout=TIMEOUT_S, check=False
        )
        return done.stdout.splitlines()

    return play


def main(argv: Sequence[str]) -> int:
    """Play, print, and return the exit code."""
    if not argv or argv[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if argv else 2
    vectors = load_vectors()
    wrong = judge(vectors, play_program(argv))
    for vector, answer in wrong:
        print(f"{vector['level'].upper()} {vector['name']}")
        print(f"  want {json.dumps(vector['want'])[:300]}\n  got  {answer[:300]}")
    missed = sum(vector["level"] == "must" for vector, _ in wrong)
    print(f"{len(vectors)} vectors, {len(vectors) - len(wrong)} right, {missed} that must be right are wrong")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
