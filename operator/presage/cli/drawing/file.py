"""The file of a picture: whether it can be written is known before the work, not after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from presage.cli.loads.errors import InputError

PICTURES = (".png", ".html")


def check_picture(name: str | None) -> Path | None:
    """Return the path of a picture; None for none.

    Raises:
        InputError: If its kind is unknown or its folder is not there.
    """
    if name is None:
        return None
    path = Path(name)
    if path.suffix.lower() not in PICTURES:
        raise InputError(f"--plot {name}: its name must end in {' or '.join(PICTURES)}")
    if not path.parent.is_dir() or path.is_dir():
        raise InputError(f"--plot {name}: there is no folder {path.parent}, or a folder has that name")
    return path


def write_picture(path: Path, render_page: Callable[[], str], draw: Callable[[Path], None]) -> None:
    """Write a picture, as a page or as PNG by the name's end.

    Raises:
        InputError: If it cannot be written.
    """
    try:
        if path.suffix.lower() == ".html":
            path.write_text(render_page(), encoding="utf-8")
        else:
            draw(path)
    except OSError as error:
        raise InputError(f"--plot {path}: cannot be written: {error.strerror or error}", 1) from None
