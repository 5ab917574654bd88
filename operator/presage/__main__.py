"""Entry point of the `presage` command: the operator, or one of the other subcommands."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from presage.cli.app import parse, run, tell_missing


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    arguments = parse(argv)
    if arguments.command != "operator":
        return run(arguments)
    try:
        from presage.handlers.process import run_operator  # kopf and the rest are imported only where they run
    except ModuleNotFoundError as error:
        return tell_missing(error, "operator")
    from presage.runtime.kinds import KINDS

    return run_operator(KINDS)


if __name__ == "__main__":
    sys.exit(main())
