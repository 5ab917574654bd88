"""Arguments of the commands that work on a load; imports nothing heavy, since every command builds the whole parser."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from presage.core.units import parse_duration

T = TypeVar("T")

TOKEN, USER, AUTHORITY = "PRESAGE_PROMETHEUS_TOKEN", "PRESAGE_PROMETHEUS_USER", "PRESAGE_PROMETHEUS_CA"
ENVIRONMENT = f"""\
environment: {TOKEN}, {USER} (NAME:PASSWORD), {AUTHORITY} (a file) stand in for
the options --token-file, --user-file and --ca
"""


def add_source(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add where the load comes from and how to get in; one of them must be given if `required`."""
    source = parser.add_mutually_exclusive_group(required=required)
    source.add_argument("--csv", metavar="FILE", help="header timestamp,value; epoch seconds or ISO 8601; - is stdin")
    source.add_argument("--prometheus", metavar="URL", help="address of a Prometheus; needs --query")
    parser.add_argument("--query", metavar="PROMQL", help="with --prometheus: a query that gives one series, the load")
    parser.add_argument("--value", metavar="COLUMN", default="value", help="with --csv: column of the load")
    parser.add_argument("--counter", action="store_true", help="with --csv: values are a counter; use its rate")
    parser.add_argument(
        "--from",
        dest="since",
        metavar="TIME",
        type=checked(parse_moment),
        help="first moment: ISO 8601, epoch seconds, or such as 21d for that long ago; default: all of the file, or "
        "what the operator would read (21 days at a step of 5 min)",
    )
    parser.add_argument(
        "--to", dest="until", metavar="TIME", type=checked(parse_moment), help="end, the same way; default: now"
    )
    parser.add_argument("--token-file", metavar="FILE", help="file with a bearer token for Prometheus")
    parser.add_argument("--user-file", metavar="FILE", help="file with NAME:PASSWORD for Prometheus")
    parser.add_argument("--ca", metavar="FILE", help="PEM file with the authority of Prometheus's certificate")


def add_step(parser: argparse.ArgumentParser) -> None:
    """Add the width of a slot of the load."""
    parser.add_argument(
        "--step",
        metavar="TIME",
        type=checked(parse_duration),
        help="width of a slot, such as 5m; default: 5m, or the finest larger one that the samples fill",
    )


def add_levels(parser: argparse.ArgumentParser) -> None:
    """Add which quantiles are forecast."""
    parser.add_argument(
        "--quantile",
        metavar="LEVEL",
        type=checked(parse_level),
        action="append",
        default=[],
        help="one more quantile between 0 and 1; may be repeated; 0.5, 0.9 and 0.95 are always there",
    )


def add_rhythm(parser: argparse.ArgumentParser) -> None:
    """Add what is known of the load's rhythm."""
    parser.add_argument(
        "--season",
        metavar="TIME",
        type=checked(parse_duration),
        action="append",
        default=[],
        help="a season that the load has, such as 1d; may be repeated; default: 1h, 1d and 7d are tested",
    )
    parser.add_argument("--time-zone", metavar="ZONE", type=checked(parse_zone), help="such as Europe/Berlin; or UTC")


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add what is printed and drawn."""
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    parser.add_argument("--plot", metavar="FILE", help="write a picture: FILE.png, or FILE.html for a page")
    parser.add_argument(
        "--unit", metavar="TEXT", default="", help="unit of the load, such as requests/s, for the picture"
    )


def checked(parse: Callable[[str], T]) -> Callable[[str], T]:
    """Return the parser of an option with its own words in argparse's message."""

    def checked(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def parse_moment(text: str) -> float:
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


def parse_level(text: str) -> float:
    """Return the level of a quantile."""
    level = parse_ratio(text)
    if level >= 1:
        raise ValueError(f"{text[:64]!r} does not lie between 0 and 1")
    return level


def parse_ratio(text: str) -> float:
    """Return a number above 0."""
    try:
        ratio = float(text)
    except ValueError:
        ratio = 0.0
    if not 0 < ratio < float("inf"):
        raise ValueError(f"{text[:64]!r} is no number above 0")
    return ratio


def parse_zone(text: str) -> str:
    """Return the IANA name of a time zone."""
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
