"""The shape of the product's code: short modules, short functions, most of them very short."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

PRODUCT = Path(__file__).parents[2] / "operator/presage"
MODULE_LINES, FUNCTION_LINES, MEDIAN_LINES = 400, 60, 20


def functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield name and length of each function, docstring and all."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or 0) - node.lineno + 1


def test_modules_and_functions_are_short() -> None:
    lengths: dict[str, int] = {}
    for path in sorted(PRODUCT.rglob("*.py")):
        text, where = path.read_text(encoding="utf-8"), path.relative_to(PRODUCT)
        assert text.count("\n") < MODULE_LINES, f"{where} is too long: split it"
        for name, lines in functions(ast.parse(text)):
            assert lines < FUNCTION_LINES, f"{where}: {name} has {lines} lines: split it"
            lengths[f"{where}:{name}:{len(lengths)}"] = lines
    assert len(lengths) > 300, "the product was found"
    assert statistics.median(lengths.values()) < MEDIAN_LINES
