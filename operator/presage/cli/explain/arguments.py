"""Arguments of `presage explain`; imports nothing heavy, since every command builds the whole parser."""

from __future__ import annotations

import argparse

_DESCRIPTION = """\
Shows how the last decision about a target came about: the decision in one line, then every number it rests on, the
conditions, the accounts, and the PromQL that gave each load, so that any number can be asked for again. All of it comes
from the object's status, which is refreshed with every change and else every ten minutes. Changes nothing."""
_EPILOG = """\
examples:
  presage explain mprof/checkout -n shop          why has checkout the replicas it has?
  kubectl presage explain mprof/checkout          the same, as a kubectl plugin
  presage explain mprof/checkout -o json | jq -r '.queries[].tick'        what to ask Prometheus to check it
  presage explain mprof/checkout -o json | jq '.decision.metrics[0].reactive'

exit codes: 0 shown, 1 nothing was decided yet, 2 bad usage, kubeconfig or name, 3 cluster unreachable or refuses
"""


def add_explain(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "explain",
        help="say why a target has the replicas it has",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("object", help="mprof/NAME")
    parser.add_argument("-n", "--namespace", help="namespace; default: that of the kubeconfig's context")
    parser.add_argument("--context", help="context of the kubeconfig")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="default: text")
