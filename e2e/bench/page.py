"""Tables for the terminal and for pages, and the place of results in a page; pure but for the file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from e2e.bench.judged import Judged, show

RESULTS = "results"
"""The place of a run's results in its page."""
HEAD = ("figure", "value", "must", "verdict", "aim", "aim is", "note")


def judged_cells(table: Iterable[Judged]) -> list[tuple[str, ...]]:
    """Return the cells of the judged rows, head first."""
    found: list[tuple[str, ...]] = [HEAD]
    for each in table:
        value = f"{show(each.value, each.form)} {each.unit}".rstrip()
        must, aim = ("" if bounds is None else bounds.render(_bound_form(each)) for bounds in (each.must, each.aim))
        found.append((each.name, value, must, each.verdict, aim, each.aim_verdict, each.note))
    return found


def _bound_form(each: Judged) -> str:
    return each.form if each.form == "1/" else "g"


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table for a terminal; the first row is its head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = ["  ".join([*map(str.ljust, row[:-1], widths), row[-1]]).rstrip() for row in rows]
    lines.insert(1, "-" * max(map(len, lines)))
    return lines


def render_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; the first row is its head."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def marks(place: str = RESULTS) -> tuple[str, str]:
    """Return the lines between which a page holds what benches write."""
    return f"<!-- {place}: begin -->", f"<!-- {place}: end -->"


def write_results(page: Path, results: str, place: str = RESULTS) -> None:
    """Put results into the page between two marks; what stands around them by hand stays."""
    first, last = marks(place)
    title = f"{page.stem.capitalize()} benchmark"
    text = page.read_text(encoding="utf-8") if page.exists() else f"# {title}\n\n{first}\n{last}\n"
    before, begin, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"{page} has no marks {first} and {last}: put them where the results shall stand")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(f"{before}{begin}\n\n{results}\n\n{end}{after}", encoding="utf-8")
