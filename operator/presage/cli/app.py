"""Arguments of the `presage` command and the way to each subcommand; parts are imported only when asked for.

Exit codes: 0 done, 1 failed or below what was asked for, 2 bad input or usage, 3 source or cluster unreachable.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.metadata import version

_EXAMPLES = """examples:
  presage explain mprof/checkout -n shop     why a target has the replicas it has
  kubectl presage explain mprof/checkout     the same, as a kubectl plugin
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
    explain = commands.add_parser("explain", help="say why a target has the replicas it has")
    explain.add_argument("object", help="mprof/NAME")
    explain.add_argument("-n", "--namespace", help="namespace; default: that of the kubeconfig's context")
    explain.add_argument("--context", help="context of the kubeconfig")
    generate = commands.add_parser("generate", help="write CRDs, RBAC rules and reference (for developers)")
    generate.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is stale")
    generate.add_argument("--root", default=".", help="folder of the repository; default: here")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Run one subcommand but `operator`; return the exit code."""
    if arguments.command == "generate":
        from presage.cli.generate import generate

        return generate(arguments.root, check=arguments.check)
    from presage.cli.explain import explain

    return explain(arguments.object, arguments.namespace, arguments.context)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed command line; exits with 2 on bad usage."""
    return build_parser().parse_args(argv)
