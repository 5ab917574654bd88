"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def align(rows: Sequence[Sequence[str]], left: int, left_from: int = 99) -> Iterator[str]:
    """Yield rows in columns: the first `left` and those from `left_from` on to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(max(map(len, rows)))]
    for row in rows:
        cells = [
            cell.ljust(width) if i < left or i >= left_from else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        yield "  ".join(cells).rstrip()
