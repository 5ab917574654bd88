"""Every reason that code gives is documented, and every documented one is given: nobody looks one up in vain.

Reasons are found in the source: whatever is handed to a class or function as its `reason`, and first parts of pairs
that functions return.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import presage
from presage.runtime.kinds import KINDS

PACKAGE = Path(presage.__file__).parent
LAYERS = ("core", "reconcile", "adapters", "runtime")
DECLARED_IN = "Reason"  # the documentation itself

# Given to the queue, to events or to logs, but to no condition.
NO_CONDITIONS = {
    "Conflict": "a write is tried again at once on what somebody else wrote",
    "Defect": "a reconcile that raised is tried again",
    "DisruptionBudget": "an eviction is tried again later",
    "FinalizerRefused": "of kinds with an undo, which no kind here has",
    "Policy": "by what pods are injected, which is shown in status",
    "StatusRefused": "a status that cannot be written cannot tell it",
    "UndoTimedOut": "of kinds with an undo, which no kind here has",
}
_WORD = re.compile(r"[A-Z][a-z]+([A-Z][a-z0-9]*)*")


def trees() -> Iterator[ast.Module]:
    for layer in LAYERS:
        for path in sorted((PACKAGE / layer).rglob("*.py")):
            yield ast.parse(path.read_text(encoding="utf-8"), str(path))


def find_takers() -> dict[str, int]:
    """Return what takes a reason: name of the class or function → position of it among the arguments."""
    takers: dict[str, int] = {}
    bases: dict[str, list[str]] = {}
    for node in (node for tree in trees() for node in ast.walk(tree)):
        if isinstance(node, ast.ClassDef):
            bases[node.name] = [base.id for base in node.bases if isinstance(base, ast.Name)]
            names = [
                part.target.id
                for part in node.body
                if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
            ]
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and part.name == "__init__":
                    names = [argument.arg for argument in part.args.args[1:]]
            if "reason" in names:
                takers[node.name] = names.index("reason")
        elif isinstance(node, ast.FunctionDef) and node.name != "__init__":
            names = [argument.arg for argument in node.args.args if argument.arg != "self"]
            if "reason" in names:
                takers[node.name] = names.index("reason")
    for _ in bases:  # a class takes what its bases take
        takers |= {
            name: takers[base]
            for name, given in bases.items()
            for base in given
            if base in takers and name not in takers
        }
    return takers


def find_given(node: ast.AST, takers: dict[str, int]) -> ast.expr | None:
    """Return the expression of a reason, where a node gives one."""
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == 2:
        first = node.value.elts[0]
        word = isinstance(first, ast.Constant) and isinstance(first.value, str) and _WORD.fullmatch(first.value)
        return first if word else None
    if not isinstance(node, ast.Call):
        return None
    called = node.func
    name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
    named = next((keyword.value for keyword in node.keywords if keyword.arg == "reason"), None)
    if named is not None:
        return named
    if name not in takers or len(node.args) <= takers[name]:
        return None
    return node.args[takers[name]]


def words(given: ast.expr) -> Iterator[str]:
    """Yield the constants among what a reason may be; what is only passed on was found where it began."""
    if isinstance(given, ast.IfExp):
        yield from (*words(given.body), *words(given.orelse))
    elif isinstance(given, ast.Constant):
        if isinstance(given.value, str) and given.value:
            yield given.value
    else:
        assert "reason" in ast.unparse(given), (
            f"line {given.lineno}: this test cannot tell what {ast.unparse(given)} may be"
        )


def used() -> set[str]:
    takers = find_takers()
    given = (find_given(node, takers) for tree in trees() for node in ast.walk(tree) if not is_documentation(node))
    return {word for each in given if each is not None for word in words(each) if _WORD.fullmatch(word)}


def is_documentation(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == DECLARED_IN


def test_every_reason_given_is_documented_and_the_other_way_round() -> None:
    documented = {reason.name for kind in KINDS for reason in kind.reasons}
    assert used() - NO_CONDITIONS.keys() == documented


def test_no_exception_is_out_of_date() -> None:
    assert NO_CONDITIONS.keys() <= used()


def test_the_scan_finds_what_it_should() -> None:
    source = (
        'def f(a, reason): pass\nf(1, "One")\nf(1, reason="Two" if a else "Three")\ndef g():\n    return "Four", x\n'
    )
    found = [find_given(node, {"f": 1}) for node in ast.walk(ast.parse(source))]
    assert {word for each in found if each is not None for word in words(each)} == {"One", "Two", "Three", "Four"}


def test_every_reason_is_told_once_and_says_what_to_do() -> None:
    for kind in KINDS:
        told = [(reason.condition, reason.name) for reason in kind.reasons]
        assert len(set(told)) == len(told)
        for reason in kind.reasons:
            assert reason.meaning.endswith("."), reason
            assert reason.remedy.endswith("."), reason


def test_troubleshooting_names_what_there_is_and_nothing_else() -> None:
    """Prose outlives what it tells of. And whatever asks a person to act is in it."""
    page = (PACKAGE.parents[1] / "docs/troubleshooting.md").read_text(encoding="utf-8")
    documented = {reason.name for kind in KINDS for reason in kind.reasons}
    words = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]*)*)`", page))
    conditions = {reason.condition for kind in KINDS for reason in kind.reasons}
    assert words - documented - conditions == set()
    asking_for_something = {r.name for kind in KINDS for r in kind.reasons if r.remedy != "Nothing to do."}
    assert asking_for_something <= words | {"InvalidSpec"}
