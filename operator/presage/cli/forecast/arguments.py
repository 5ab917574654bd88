"""Arguments of `presage forecast`; imports nothing heavy, since every command builds the whole parser."""

from __future__ import annotations

import argparse

from presage.cli.loads.arguments import ENVIRONMENT, add_levels, add_output, add_rhythm, add_source, add_step, checked
from presage.core.units import parse_duration

_DESCRIPTION = """\
Shows what is expected of a load and why. Of a MetricProfile: the live object's own numbers, from its status. Of a CSV
file or a Prometheus: a forecast by the code that the operator runs; needs no cluster. Changes nothing."""
_EPILOG = f"""\
examples:
  presage forecast mprof/checkout -n shop                     what the operator expects of checkout's load
  kubectl presage forecast mprof/checkout --plot ahead.png    the same as a picture
  presage forecast --csv requests.csv                         the next day, from a file with the header timestamp,value
  presage forecast --csv requests.csv --horizon 3h --quantile 0.99 --plot requests.html
  presage forecast --prometheus http://localhost:9090 --query 'sum(rate(http_requests_total[5m]))' --format json

exit codes: 0 done, 1 there is no forecast yet or the plot cannot be written, 2 bad input or usage, 3 cluster or
Prometheus unreachable
{ENVIRONMENT}"""


def add_forecast(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "forecast",
        help="say what is expected of a load, and why",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("object", nargs="?", help="mprof/NAME; or give --csv or --prometheus")
    parser.add_argument("-n", "--namespace", help="namespace of the object; default: that of the kubeconfig's context")
    parser.add_argument("--context", help="context of the kubeconfig")
    parser.add_argument(
        "--metric", choices=("load", "bytes"), default="load", help="which metric of the object; default: load"
    )
    add_source(parser, required=False)
    add_step(parser)
    parser.add_argument(
        "--horizon", metavar="TIME", type=checked(parse_duration), help="how far to forecast; default: 1d"
    )
    add_rhythm(parser)
    add_levels(parser)
    parser.add_argument(
        "--effort", choices=("batch", "full"), default="full", help="presage's tier; batch is quicker; default: full"
    )
    add_output(parser)
