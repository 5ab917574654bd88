"""Arguments of `presage simulate`; imports nothing heavy, since every command builds the whole parser."""

from __future__ import annotations

import argparse
import re

from presage.cli.loads.arguments import ENVIRONMENT, add_output, add_rhythm, add_source, checked
from presage.core.units import parse_duration, parse_quantity

PRESAGE, HPA = "presage", "hpa"
RIVALS = (HPA, "cron", "yesterday", "clairvoyant")
MOST_REPLICAS = 10_000
LONGEST_START_S = 3_600
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%")

_DESCRIPTION = """\
Replays a load that was, through the decisions that the operator takes, and says what it would have cost and what would
not have been served, beside other ways to scale: the HPA, a schedule by the hour, yesterday's need as a floor under the
HPA, and one who knows the load in advance. Needs no cluster."""
_EPILOG = f"""\
examples:
  presage simulate --csv requests.csv --per-pod 50 --max 40                      the last week, from a file
  presage simulate --prometheus http://localhost:9090 --query 'sum(rate(http_requests_total[1m]))' --per-pod 50 --max 40
  presage simulate --csv requests.csv --per-pod 50 --max 40 --plot week.html     and a page that shows every moment
  presage simulate --csv load.csv --per-pod 1.5k --start-up 3m --min 2 --max 60 --last 3d --time-zone Europe/Berlin
  presage simulate --csv load.csv --per-pod 50 --max 40 --against hpa --hpa-target 80%
  presage simulate --csv load.csv --per-pod 50 --max 40 --format json --fail-above-unmet 1%        for a pipeline

exit codes: 0 done, 1 above --fail-above-unmet or the plot cannot be written, 2 bad input or usage,
3 Prometheus unreachable
{ENVIRONMENT}"""


def add_simulate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "simulate",
        help="say what presage would have saved on a load that was",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_source(parser)
    _add_target(parser)
    _add_replay(parser)
    add_rhythm(parser)
    add_output(parser)
    parser.add_argument(
        "--fail-above-unmet",
        metavar="SHARE",
        type=checked(_parse_percent),
        help="exit with 1 if presage leaves more of the load unmet, such as 1%%",
    )


def _add_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--per-pod", metavar="LOAD", type=checked(_parse_load), required=True, help="load that one ready pod serves"
    )
    parser.add_argument(
        "--start-up",
        metavar="TIME",
        type=checked(_parse_startup),
        default=60,
        help="time from asking for a pod until it is ready, at most 1h; default: 60s",
    )
    parser.add_argument(
        "--min", metavar="N", type=checked(_parse_replicas), default=1, help="fewest replicas; default: 1"
    )
    parser.add_argument("--max", metavar="N", type=checked(_parse_replicas), required=True, help="most replicas")
    parser.add_argument(
        "--objective",
        metavar="SHARE",
        type=checked(_parse_percent),
        default=0.005,
        help="share of the load that may be left unmet, as scaling.objective.unmetLoad; default: 0.5%%",
    )


def _add_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--last",
        metavar="TIME",
        type=checked(parse_duration),
        help="how much of the load to replay, from its end; what lies before is history; default: 7d, or what a day "
        "of history leaves",
    )
    parser.add_argument(
        "--against",
        metavar="RULES",
        type=checked(_parse_rivals),
        default=RIVALS,
        help=f"whom to compare with, any of {','.join(RIVALS)}; default: all",
    )
    parser.add_argument(
        "--hpa-target",
        metavar="SHARE",
        type=checked(_parse_percent),
        default=0.7,
        help="load per pod that the HPA aims at, as a share of --per-pod; default: 70%%",
    )
    parser.add_argument(
        "--step",
        metavar="TIME",
        type=checked(parse_duration),
        help="width of a slot of the forecasts, as spec.forecast.step; default: 5m",
    )
    parser.add_argument(
        "--resolution",
        metavar="TIME",
        type=checked(_parse_resolution),
        help="width of a slot of the load, at least 15s; default: as fine as the samples of a file, 1m from Prometheus",
    )


def _parse_percent(text: str) -> float:
    match = _PERCENT.fullmatch(text)
    share = float(match[1]) / 100 if match else 0.0
    if not 0 < share <= 1:
        raise ValueError(f'{text[:64]!r} is no share: write one above 0 and up to 100, such as "0.5%"')
    return share


def _parse_load(text: str) -> float:
    load = parse_quantity(text)
    if load <= 0:
        raise ValueError(f"{text[:64]!r} must be above 0")
    return float(load)


def _parse_startup(text: str) -> int:
    seconds = parse_duration(text)
    if seconds > LONGEST_START_S:
        raise ValueError(f"{text[:64]!r} is longer than 1h")
    return seconds


def _parse_resolution(text: str) -> int:
    seconds = parse_duration(text)
    if seconds < 15:
        raise ValueError(f"{text[:64]!r} is finer than the 15s between two decisions")
    return seconds


def _parse_replicas(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:9]) <= MOST_REPLICAS:
        raise ValueError(f"{text[:64]!r} is no whole number from 1 to {MOST_REPLICAS}")
    return int(text)


def _parse_rivals(text: str) -> tuple[str, ...]:
    wanted = text.split(",")
    if unknown := [name for name in wanted if name not in RIVALS]:
        raise ValueError(f"{unknown[0][:64]!r} is no rule: write some of {','.join(RIVALS)}")
    return tuple(name for name in RIVALS if name in wanted)
