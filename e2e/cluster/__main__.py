"""Command line of the cluster tool."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence

from e2e.cluster.builds import BINARIES, ensure_binary
from e2e.cluster.cluster import Cluster, names, shape_of
from e2e.cluster.errors import ClusterError
from e2e.cluster.shapes import SHAPES

_EXAMPLES = """\
examples:
  python3 -m e2e.cluster up                          one node with containers, Services and names (root)
  python3 -m e2e.cluster up --shape control          control plane only, pods are played by kwok (any user)
  export KUBECONFIG=$(python3 -m e2e.cluster path)   then use kubectl as usual
  $(python3 -m e2e.cluster binary kubectl) get pods  kubectl of the cluster's own version
  python3 -m e2e.cluster up --name mine              one more control plane, beside all others
  python3 -m e2e.cluster status --all
  python3 -m e2e.cluster down                        leaves nothing behind
"""
_KEPT_VARIABLES = ("PATH", "LANG", "TERM", "GOPROXY", "GOFLAGS", "GOPRIVATE", "GONOSUMDB", "HTTP_PROXY", "HTTPS_PROXY")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 when not, 2 for wrong usage."""
    words = list(sys.argv[1:] if argv is None else argv)
    options = _parser().parse_args(words)
    try:
        return _run(options, words)
    except ClusterError as error:
        print(error.report(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; `down` removes what has been started", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m e2e.cluster",
        description="A real Kubernetes on this machine, built from pinned Go modules.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in (
        ("up", "start it, or whatever of it does not run"),
        ("down", "end it and remove all it left"),
        ("status", "show its parts; exit code 1 unless all is well"),
        ("path", "print the path of its kubeconfig"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--shape", choices=list(SHAPES), help="default: full, or control when it has a name")
        command.add_argument("--name", help="of one of several control clusters; default: the shape")
        if name in ("down", "status"):
            command.add_argument("--all", action="store_true", help="every cluster of this user")
    text = "build the programs, all or those named"
    build = commands.add_parser("build", help=text, description=text)
    build.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BINARIES))
    build.add_argument("--shape", choices=list(SHAPES), help="only what this shape runs")
    text = "print the path of one program, building it first when absent"
    binary = commands.add_parser("binary", help=text, description=text)
    binary.add_argument("name", metavar="NAME", choices=list(BINARIES), help=", ".join(BINARIES))
    return parser


def _run(options: argparse.Namespace, words: list[str]) -> int:
    if options.command == "build":
        wanted = options.names or (SHAPES[options.shape].binaries if options.shape else BINARIES)
        for name in wanted:
            print(ensure_binary(name))
        return 0
    if options.command == "binary":
        print(ensure_binary(options.name))
        return 0
    if options.command == "status" and options.all:
        return _status_of_all()
    if options.command == "down" and options.all:
        for name in names():
            Cluster(shape_of(name), name).down()
        return 0
    cluster = Cluster(options.shape or shape_of(options.name or "full"), options.name or "")
    if SHAPES[cluster.shape].needs_root and os.geteuid() != 0:
        _become_root(words)
    if options.command == "up":
        cluster.up()
    elif options.command == "down":
        cluster.down()
    elif options.command == "path":
        print(cluster.kubeconfig)
    else:
        return _status(cluster)
    return 0


def _become_root(words: list[str]) -> None:
    """Run the same command by sudo, with root's own home folder; without sudo the command itself complains."""
    if shutil.which("sudo"):
        kept = [f"{name}={os.environ[name]}" for name in _KEPT_VARIABLES if name in os.environ]
        os.execvp("sudo", ["sudo", "-H", "env", *kept, sys.executable, "-m", "e2e.cluster", *words])  # noqa: S606


def _status(cluster: Cluster) -> int:
    rows = cluster.table()
    if not rows:
        print(f"cluster {cluster.name} is down")
        return 1
    print(render([("PART", "PID", "STATE", "SINCE", "LOG"), *rows]))
    well = cluster.is_up()
    print(f"API server: {cluster.server} {'answers' if well else 'is not well, or a part has ended'}")
    return 0 if well else 1


def _status_of_all() -> int:
    clusters = [Cluster(shape_of(name), name) for name in names()]
    if not clusters:
        print("no cluster is up")
        return 0
    well = [cluster.is_up() for cluster in clusters]
    states = ("up" if each else "not well" for each in well)
    rows = [(each.name, each.shape, state, each.server) for each, state in zip(clusters, states, strict=True)]
    print(render([("CLUSTER", "SHAPE", "STATE", "API SERVER"), *rows]))
    return 0 if all(well) else 1


def render(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a table with columns as wide as their longest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


if __name__ == "__main__":
    sys.exit(main())
