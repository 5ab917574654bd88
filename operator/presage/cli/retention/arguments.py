"""Arguments of `presage retention`; imports nothing heavy, since every command builds the whole parser."""

from __future__ import annotations

import argparse

_DESCRIPTION = """\
Renders what gives each retention tier a server of its own: scrape configurations, relabelling, arguments and objects,
for plain Prometheus, Prometheus Operator and VictoriaMetrics single nodes. Back end and tiers come from a MetricSource,
on the cluster or in a file, or from --backend and --tiers; a MetricProfile leaves the tiers that its metrics name.
Changes nothing on a cluster."""
_EPILOG = """\
examples:
  presage retention render msrc/main -o retention/         all files that the MetricSource's servers need
  presage retention render mprof/checkout -n shop          only for the tiers that this profile's metrics name
  presage retention render -f source.yaml -f profile.yaml  the same from files, without a cluster
  presage retention render --backend VictoriaMetrics --tiers 15d=http://vm-15d:8428,52w=http://vm-52w:8428
  presage retention render --backend PrometheusOperator --tiers 2h,15d | kubectl apply -f -

exit codes: 0 rendered, 1 a tier has no server, or the back end has one retention for everything, 2 bad input or usage,
3 cluster unreachable or refuses
"""


def add_retention(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("retention", help="say what keeps each metric's series as long as it asks for")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    render = verbs.add_parser(
        "render",
        help="write what a back end needs so that every tier has a server of its own",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    render.add_argument("object", nargs="?", help="msrc/NAME or mprof/NAME, on the cluster")
    render.add_argument(
        "-f", "--file", action="append", metavar="FILE", help="YAML with a MetricSource, a MetricProfile or both"
    )
    render.add_argument(
        "--backend",
        choices=("Prometheus", "PrometheusOperator", "VictoriaMetrics"),
        help="what keeps the series; default: as the MetricSource says",
    )
    render.add_argument("--tiers", metavar="TIER[=URL],…", help="tiers, such as 2h,15d=http://prometheus-15d:9090")
    render.add_argument("--default-tier", metavar="TIER", help="tier that also takes series without the label")
    render.add_argument(
        "--functions", action="store_true", help="for PrometheusOperator: also PodMonitors of functions"
    )
    render.add_argument("--port", default="metrics", help="container port of functions' metrics; default: metrics")
    render.add_argument("--path", default="/metrics", help="where they serve them; default: /metrics")
    render.add_argument("--interval", metavar="DURATION", default="30s", help="between two scrapes; default: 30s")
    render.add_argument("--targets", metavar="HOST:PORT,…", help="scrape these addresses, not pods found by Kubernetes")
    render.add_argument("--operator-namespace", default="presage-system", help="default: presage-system")
    render.add_argument("-n", "--namespace", help="namespace of the profile; default: that of the kubeconfig's context")
    render.add_argument("--context", help="context of the kubeconfig")
    render.add_argument("-o", "--output", metavar="FOLDER", help="write files there; default: print them all")
