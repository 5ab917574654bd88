"""What commands on a load have in common: work that is watched, a result on stdout, its picture, and the exit code."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from presage.cli.drawing.file import check_picture, write_picture
from presage.cli.loads.errors import InputError
from presage.cli.loads.progress import Progress

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Faces(Generic[R]):
    """How a result is shown.

    Attributes:
        document: As JSON.
        table: As text.
        page: As an HTML page.
        picture: As PNG, into a file.
        warnings: What to know about the load, one line each.
    """

    document: Callable[[R], Mapping[str, object]]
    table: Callable[[R], str]
    page: Callable[[R], str]
    picture: Callable[[R, Path], None]
    warnings: Callable[[R], Sequence[str]]


def show(
    command: str,
    arguments: argparse.Namespace,
    work: Callable[[Progress], R],
    faces: Faces[R],
    judge: Callable[[R], int] = lambda _: 0,
) -> int:
    """Do the work and show what came of it; return the exit code.

    Args:
        command: Name of the subcommand, for messages.
        arguments: `plot` and `format` are looked at.
        work: Gives the result, or raises an `InputError`; tells its progress.
        faces: How the result is shown.
        judge: Exit code of a result that was shown.
    """
    progress = Progress()
    try:
        plot = check_picture(arguments.plot)
        result = work(progress)
        if plot is not None:
            progress.tell(f"drawing {plot}")
            write_picture(plot, partial(faces.page, result), partial(faces.picture, result))
    except InputError as error:
        progress.end()
        print(f"presage {command}: {error}", file=sys.stderr)
        return error.exit_code
    progress.end()
    for warning in faces.warnings(result):
        print(f"presage {command}: warning: {warning}", file=sys.stderr)
    if arguments.format == "json":
        print(json.dumps(faces.document(result), indent=2, allow_nan=False))
    else:
        print(faces.table(result))
    return judge(result)
