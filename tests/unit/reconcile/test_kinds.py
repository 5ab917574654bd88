"""What holds for every kind, the example included."""

from __future__ import annotations

import inspect

import pytest

from presage.reconcile.kind import AnyKind
from tests.integration.extension.errands.kinds import KINDS


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_decision_is_a_function_of_its_one_input(kind: AnyKind) -> None:
    assert not inspect.iscoroutinefunction(kind.decide), "a decision waits for nothing"
    assert len(inspect.signature(kind.decide).parameters) == 1, "it is handed no port"
    assert inspect.iscoroutinefunction(kind.gather)
    assert inspect.iscoroutinefunction(kind.apply)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_reason_says_what_it_means_and_what_to_do(kind: AnyKind) -> None:
    assert kind.reasons
    assert len({(r.condition, r.name) for r in kind.reasons}) == len(kind.reasons), "none is listed twice"
    assert all(r.meaning.endswith(".") and r.remedy.endswith(".") for r in kind.reasons)
