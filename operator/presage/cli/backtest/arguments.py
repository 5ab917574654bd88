"""Arguments of `presage backtest`; imports nothing heavy, since every command builds the whole parser."""

from __future__ import annotations

import argparse

from presage.cli.loads.arguments import (
    ENVIRONMENT,
    add_levels,
    add_output,
    add_rhythm,
    add_source,
    add_step,
    checked,
    parse_ratio,
)
from presage.core.units import parse_duration

MOST_ORIGINS = 200

_DESCRIPTION = """\
Forecasts a load from moments of its past, with the code that the operator runs, and scores each forecast by what came
then, beside three naive forecasts: yesterday's value, last week's and the last one. Needs no cluster."""
_EPILOG = f"""\
examples:
  presage backtest --csv requests.csv                         a table, from a file with the header timestamp,value
  presage backtest --csv requests.csv --plot requests.html    and a page that shows each forecast beside what came
  presage backtest --csv total.csv --counter --unit requests  a raw counter with resets becomes a rate per second
  presage backtest --prometheus http://localhost:9090 --query 'sum(rate(http_requests_total[5m]))' --plot load.png
  presage backtest --csv load.csv --time-zone Europe/Berlin --season 1d --season 7d
  presage backtest --csv load.csv --format json --fail-above 0.9     for a pipeline: exit code 1 if not clearly better

exit codes: 0 done, 1 above --fail-above or the plot cannot be written, 2 bad input or usage, 3 Prometheus unreachable
{ENVIRONMENT}"""


def add_backtest(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "backtest",
        help="say how good the forecasts of a load would have been",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_source(parser)
    _add_forecast(parser)
    _add_output(parser)


def _add_forecast(parser: argparse.ArgumentParser) -> None:
    add_step(parser)
    parser.add_argument(
        "--horizon",
        metavar="TIME",
        type=checked(parse_duration),
        help="how far to forecast, at most 1d; default: 1d, which scores the first hour and the whole day",
    )
    parser.add_argument(
        "--origins",
        metavar="N",
        type=checked(_parse_origins),
        default=8,
        help=f"moments to forecast from, at most {MOST_ORIGINS}; default: 8",
    )
    add_rhythm(parser)
    add_levels(parser)
    parser.add_argument(
        "--effort", choices=("batch", "full"), default="batch", help="presage's tier; full takes longer; default: batch"
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    add_output(parser)
    parser.add_argument(
        "--fail-above",
        metavar="RATIO",
        type=checked(parse_ratio),
        help="exit with 1 if presage's error over that of yesterday's value is larger, in any span scored",
    )


def _parse_origins(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:9]) <= MOST_ORIGINS:
        raise ValueError(f"{text[:64]!r} is no whole number from 1 to {MOST_ORIGINS}")
    return int(text)
