"""Arguments of the `presage` command and the way to each subcommand; parts are imported only when asked for.

Exit codes: 0 done, 1 failed or below what was asked for, 2 bad input or usage, 3 source or cluster unreachable.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from presage.cli.backtest.arguments import add_backtest
from presage.cli.explain.arguments import add_explain
from presage.cli.forecast.arguments import add_forecast
from presage.cli.retention.arguments import add_retention
from presage.cli.simulate.arguments import add_simulate

if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_EXAMPLES = """examples:
  presage explain mprof/checkout -n shop     why a target has the replicas it has
  kubectl presage explain mprof/checkout     the same, as a kubectl plugin
  presage forecast mprof/checkout --plot ahead.png           what is expected of its load, and why
  presage check                              is the installation sound, and what to do if not
  presage bundle                             what to send with a report of a fault; without secrets
  presage backtest --csv load.csv            how good its forecasts of a load would have been
  presage simulate --csv load.csv --per-pod 50 --max 40    what it would have saved last week
  presage retention render msrc/main         what keeps each metric's series as long as it asks for
  presage operator                           run the operator (what the chart's pods do)
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    parser = argparse.ArgumentParser(
        prog="presage",
        description="Scales Kubernetes workloads before the load arrives.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"presage {version('presage')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("operator", help="run the operator; its settings are PRESAGE_* environment variables")
    add_explain(commands)
    _add_check(commands)
    _add_bundle(commands)
    add_forecast(commands)
    add_backtest(commands)
    add_simulate(commands)
    add_retention(commands)
    generate = commands.add_parser("generate", help="write CRDs, RBAC rules and reference (for developers)")
    generate.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is stale")
    generate.add_argument("--root", default=".", help="folder of the repository; default: here")
    return parser


def _add_check(commands: _Commands) -> None:
    check = commands.add_parser(
        "check",
        help="say whether the installation is sound",
        description="A line for each finding about the installation, with the remedy. Changes nothing.",
        epilog="exit codes: 0 nothing failed, 1 a finding failed, 2 bad usage or kubeconfig, 3 cluster unreachable",
    )
    check.add_argument("-n", "--namespace", help="namespace of the operator; default: found by its labels")
    check.add_argument("--context", help="context of the kubeconfig")
    check.add_argument("-o", "--output", choices=("text", "json"), default="text", help="default: text")


def _add_bundle(commands: _Commands) -> None:
    bundle = commands.add_parser(
        "bundle",
        help="write what helps others to find a fault, without secrets",
        description="Writes one file with what helps others to find a fault: the findings of presage check, presage's "
        "objects and events, state, metrics and logs of the operator. Secrets are never read, and what looks like one "
        "is taken out. Changes nothing on the cluster.",
        epilog="exit codes: 0 written (what could not be read is listed), 1 cannot write, 2 bad usage or kubeconfig, "
        "3 cluster unreachable",
    )
    bundle.add_argument("-n", "--namespace", help="namespace of the operator; default: found by its labels")
    bundle.add_argument("--context", help="context of the kubeconfig")
    bundle.add_argument("-o", "--output", metavar="FILE.tar.gz", help="default: presage-bundle-TIME.tar.gz, here")


def run(arguments: argparse.Namespace) -> int:
    """Run one subcommand but `operator`; return the exit code."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except ModuleNotFoundError as error:
        return tell_missing(error, "dev" if arguments.command == "generate" else "cli")
    except BrokenPipeError:  # the reader has seen enough, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return code


def tell_missing(error: ModuleNotFoundError, extra: str) -> int:
    """Say which extra brings a module that is not installed; return the exit code.

    Args:
        error: Of the import. One of presage's own modules is a defect and raised again.
        extra: Extra of the package that the command needs.
    """
    name = (error.name or "").partition(".")[0]
    if name in ("", "presage"):
        raise error
    print(f"presage: {name} is not installed: install presage with its extra {extra}", file=sys.stderr)
    return 2


def _run(arguments: argparse.Namespace) -> int:
    if arguments.command == "generate":
        from presage.cli.generate import generate

        return generate(arguments.root, check=arguments.check)
    if arguments.command == "check":
        from presage.cli.check import check

        return check(arguments.namespace, arguments.context, arguments.output)
    if arguments.command == "bundle":
        from presage.cli.bundle import bundle

        return bundle(arguments.namespace, arguments.context, arguments.output)
    if arguments.command == "forecast":
        from presage.cli.forecast.command import forecast

        return forecast(arguments)
    if arguments.command == "simulate":
        from presage.cli.simulate.command import simulate

        return simulate(arguments)
    if arguments.command == "retention":
        from presage.cli.retention.command import retention

        return retention(arguments)
    if arguments.command == "backtest":
        from presage.cli.backtest.command import backtest

        return backtest(arguments)
    from presage.cli.explain.command import explain

    return explain(arguments)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed command line; exits with 2 on bad usage."""
    return build_parser().parse_args(argv)
