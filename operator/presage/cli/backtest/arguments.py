"""Arguments of `presage backtest`; imports nothing heavy, since every command builds the whole parser."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from presage.core.units import parse_duration

T = TypeVar("T")

MOST_ORIGINS = 200
TOKEN, USER, AUTHORITY = "PRESAGE_PROMETHEUS_TOKEN", "PRESAGE_PROMETHEUS_USER", "PRESAGE_PROMETHEUS_CA"

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
environment: {TOKEN}, {USER} (NAME:PASSWORD), {AUTHORITY} (a file) stand in for
the options --token-file, --user-file and --ca
"""


def add_backtest(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "backtest",
        help="say how good the forecasts of a load would have been",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_input(parser)
    _add_forecast(parser)
    _add_output(parser)


def _add_input(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--csv", metavar="FILE", help="header timestamp,value; epoch seconds or ISO 8601; - is stdin")
    source.add_argument("--prometheus", metavar="URL", help="address of a Prometheus; needs --query")
    parser.add_argument("--query", metavar="PROMQL", help="with --prometheus: a query that gives one series, the load")
    parser.add_argument("--value", metavar="COLUMN", default="value", help="with --csv: column of the load")
    parser.add_argument("--counter", action="store_true", help="with --csv: values are a counter; use its rate")
    parser.add_argument(
        "--from",
        dest="since",
        metavar="TIME",
        type=_checked(_parse_moment),
        help="first moment: ISO 8601, epoch seconds, or such as 21d for that long ago; default: all of the file, or "
        "what the operator would read (21 days at a step of 5 min)",
    )
    parser.add_argument(
        "--to", dest="until", metavar="TIME", type=_checked(_parse_moment), help="end, the same way; default: now"
    )
    parser.add_argument("--token-file", metavar="FILE", help="file with a bearer token for Prometheus")
    parser.add_argument("--user-file", metavar="FILE", help="file with NAME:PASSWORD for Prometheus")
    parser.add_argument("--ca", metavar="FILE", help="PEM file with the authority of Prometheus's certificate")


def _add_forecast(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--step",
        metavar="TIME",
        type=_checked(parse_duration),
        help="width of a slot, such as 5m; default: 5m, or the finest larger one that the samples fill",
    )
    parser.add_argument(
        "--horizon",
        metavar="TIME",
        type=_checked(parse_duration),
        help="how far to forecast, at most 1d; default: 1d, which scores the first hour and the whole day",
    )
    parser.add_argument(
        "--origins",
        metavar="N",
        type=_checked(_parse_origins),
        default=8,
        help=f"moments to forecast from, at most {MOST_ORIGINS}; default: 8",
    )
    parser.add_argument(
        "--season",
        metavar="TIME",
        type=_checked(parse_duration),
        action="append",
        default=[],
        help="a season that the load has, such as 1d; may be repeated; default: 1h, 1d and 7d are tested",
    )
    parser.add_argument("--time-zone", metavar="ZONE", type=_checked(_parse_zone), help="such as Europe/Berlin; or UTC")
    parser.add_argument(
        "--quantile",
        metavar="LEVEL",
        type=_checked(_parse_level),
        action="append",
        default=[],
        help="one more quantile between 0 and 1; may be repeated; 0.5, 0.9 and 0.95 are always there",
    )
    parser.add_argument(
        "--effort", choices=("batch", "full"), default="batch", help="presage's tier; full takes longer; default: batch"
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    parser.add_argument("--plot", metavar="FILE", help="write a picture: FILE.png, or FILE.html for a page")
    parser.add_argument(
        "--unit", metavar="TEXT", default="", help="unit of the load, such as requests/s, for the picture"
    )
    parser.add_argument(
        "--fail-above",
        metavar="RATIO",
        type=_checked(_parse_ratio),
        help="exit with 1 if presage's error over that of yesterday's value is larger, in any span scored",
    )


def _checked(parse: Callable[[str], T]) -> Callable[[str], T]:
    """Return the parser of an option with its own words in argparse's message."""

    def checked(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def _parse_moment(text: str) -> float:
    """Read an ISO 8601 time (UTC without an offset), epoch seconds, or a duration that lies back from now."""
    if text.isdecimal() and len(text) >= 9:
        return float(text[:12])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            return time.time() - parse_duration(text)
        except ValueError:
            wanted = 'write one such as "2025-01-31T00:00:00Z", "1738281600" or "21d" for that long ago'
            raise ValueError(f"{text[:64]!r} is no moment: {wanted}") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _parse_origins(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:9]) <= MOST_ORIGINS:
        raise ValueError(f"{text[:64]!r} is no whole number from 1 to {MOST_ORIGINS}")
    return int(text)


def _parse_level(text: str) -> float:
    level = _parse_ratio(text)
    if level >= 1:
        raise ValueError(f"{text[:64]!r} does not lie between 0 and 1")
    return level


def _parse_ratio(text: str) -> float:
    try:
        ratio = float(text)
    except ValueError:
        ratio = 0.0
    if not 0 < ratio < float("inf"):
        raise ValueError(f"{text[:64]!r} is no number above 0")
    return ratio


def _parse_zone(text: str) -> str:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(text)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"{text[:64]!r} is no known time zone: write one such as Europe/Berlin") from None
    return text


def read_secret(file: str | None, variable: str) -> str:
    """Return the content of a file, else of the environment variable; empty if there is neither.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it holds no text.
    """
    if file is None:
        return os.environ.get(variable, "").strip()
    with open(file, encoding="utf-8") as opened:
        return opened.read(65_536).strip()
