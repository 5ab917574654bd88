"""The conformance kit: its vectors are those of the code, presage.sdk passes, and a wrong answer is found."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from conformance.presage_sdk import answer
from conformance.run import VECTORS, judge, load_vectors, main, play_program
from tests.unit.conformance.vectors import render_all

KIT = Path(__file__).parents[3] / "conformance"


def test_the_vectors_are_those_of_the_code() -> None:
    for name, text in render_all().items():
        stale = f"{name} is stale: run `python -m tests.unit.conformance.vectors`, and say so in the change log"
        assert (VECTORS / name).read_text(encoding="utf-8") == text, stale


def test_our_sdk_passes() -> None:
    vectors = load_vectors()
    assert len(vectors) > 120
    assert judge(vectors, lambda questions: [answer(each) for each in questions]) == []


def test_our_sdk_passes_as_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([sys.executable, str(KIT / "presage_sdk.py")]) == 0
    assert "0 that must be right are wrong" in capsys.readouterr().out


def test_the_generator_is_splitmix64() -> None:
    """Outputs from 1234567 as published for this generator."""
    (found,) = [each["want"]["outputs"] for each in load_vectors() if each["name"] == "sampler: generator from 1234567"]
    assert found == [
        "6457827717110365317",
        "3203168211198807973",
        "9817491932198370423",
        "4593380528125082431",
        "16408922859458223821",
    ]


def test_a_counter_modulo_n_does_not_pass() -> None:
    def play(questions: Sequence[str]) -> Sequence[str]:
        return [_modulo(json.loads(each)) or answer(each) for each in questions]

    wrong = judge(load_vectors(), play)
    assert {"sampler: 1 in 7", "sampler: 1 in 100"} <= {vector["name"] for vector, _ in wrong}
    assert {vector["ask"]["what"] for vector, _ in wrong} == {"sampler"}


def _modulo(ask: dict[str, object]) -> str:
    parts = ask.get("parts")
    if not isinstance(parts, list) or len(parts) > 1:
        return ""
    return json.dumps({"kept": list(range(0, parts[0]["events"], parts[0]["everyEvents"]))})


@pytest.mark.parametrize("program", ["pass", "print('{}')", "print('no JSON')", "import sys; sys.exit(3)"])
def test_a_program_that_does_not_answer_fails(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([sys.executable, "-c", program]) == 1
    assert "MUST sampler" in capsys.readouterr().out


def test_what_only_should_be_right_does_not_fail(capsys: pytest.CaptureFixture[str]) -> None:
    vectors = [each for each in load_vectors() if each["level"] == "should"]
    assert vectors
    wrong = judge(vectors, play_program([sys.executable, "-c", "pass"]))
    assert len(wrong) == len(vectors)
    assert main([]) == 2
    assert "PROGRAM" in capsys.readouterr().out
