"""The reference of commands and of the chart's values as Markdown."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from presage.cli.backtest.document import FIELDS, SCHEMA_VERSION
from presage.cli.explain import document as explanation
from presage.cli.forecast import document as expectation
from presage.cli.simulate import document as simulation
from presage.runtime.reference import HEADER, describe_type, render_table


def render_commands(parser: argparse.ArgumentParser) -> str:
    """Return the reference of all commands of a parser."""
    lines = [HEADER, "# Commands", "", str(parser.description), ""]
    lines += ["Each works as `presage COMMAND` and as `kubectl presage COMMAND`.", ""]
    for name, command, short in _list_commands(parser, ""):
        lines += [f"## presage {name}", "", command.description or f"{short[:1].upper()}{short[1:]}.", ""]
        rows = [
            [_name_argument(action), _describe_argument(action)]
            for action in command._actions
            if not isinstance(action, argparse._HelpAction)
        ]
        if rows:
            lines += [*render_table(("argument", "meaning"), rows), ""]
        lines += _render_epilog(command.epilog or "")
    return "\n".join(lines)


def _list_commands(parser: argparse.ArgumentParser, prefix: str) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    """Yield each command that can be run, with its name and one line of help; one with verbs is given by its verbs."""
    commands = next((each for each in parser._actions if isinstance(each, argparse._SubParsersAction)), None)
    if commands is None:
        return
    helps = {choice.dest: choice.help or "" for choice in commands._choices_actions}
    for name, command in commands.choices.items():
        verbs = list(_list_commands(command, f"{prefix}{name} "))
        yield from verbs or [(f"{prefix}{name}", command, helps[name])]


def _render_epilog(epilog: str) -> list[str]:
    """Return what stands below the arguments: a sentence, or lines that are set as they are."""
    if "\n" in epilog:
        return ["```text", epilog.rstrip(), "```", ""]
    return [f"{epilog[:1].upper()}{epilog[1:]}.", ""] if epilog else []


def render_backtest_document() -> str:
    """Return the reference of the JSON that `presage backtest` gives."""
    lines = [
        HEADER,
        "# JSON of presage backtest",
        "",
        f"`presage backtest --format json`, `schemaVersion` {SCHEMA_VERSION}.",
    ]
    lines += ["Within one `schemaVersion` fields are only ever added. What is not known is null.", ""]
    lines += [
        "Parts in capitals stand for names: SPAN is `short` (1 h, or 6 slots where a slot is longer than 10 min) or"
    ]
    lines += [
        "`day` (24 h, or the season given); METHOD is `presage`, `yesterday`, `lastWeek` or `lastValue`; `cov90` is the"
    ]
    lines += [
        "share at or below the 0.9-quantile, and each level of `--quantile` adds one; `[]` is each element of a list.",
        "",
    ]
    lines += [
        *render_table(("field", "type", "meaning"), [[f"`{path}`", kind, text] for path, kind, text in FIELDS]),
        "",
    ]
    lines += [
        "Sources of the scores: MASE, Hyndman and Koehler 2006 (the scale is at least a thousandth of the mean load);"
    ]
    lines += [
        "weighted quantile loss as in the M5 uncertainty competition, mean over the levels 0.5, 0.9 and 0.95.",
        "",
    ]
    return "\n".join(lines)


def render_explain_document() -> str:
    """Return the reference of the JSON that `presage explain` gives."""
    usage = "presage explain mprof/NAME -o json"
    return _render_document("explain", usage, explanation.SCHEMA_VERSION, explanation.FIELDS)


def render_forecast_document() -> str:
    """Return the reference of the JSON that `presage forecast` gives."""
    return _render_document(
        "forecast", "presage forecast … --format json", expectation.SCHEMA_VERSION, expectation.FIELDS
    )


def render_simulate_document() -> str:
    """Return the reference of the JSON that `presage simulate` gives."""
    usage = "presage simulate … --format json"
    page = _render_document("simulate", usage, simulation.SCHEMA_VERSION, simulation.FIELDS)
    legend = [
        "Parts in capitals stand for names: RULE is `presage`, `hpa`, `cron`, `yesterday` or `clairvoyant`, RIVAL any",
        "but the first; `[]` is each element of a list.",
        "",
    ]
    return "\n".join([page, *legend])


def _render_document(command: str, usage: str, version: int, fields: Iterable[tuple[str, str, str]]) -> str:
    rows = [[f"`{path}`", kind, text] for path, kind, text in fields]
    return "\n".join(
        [
            HEADER,
            f"# JSON of presage {command}",
            "",
            f"`{usage}`, `schemaVersion` {version}.",
            "Within one `schemaVersion` fields are only ever added. What is not known is null.",
            "",
            *render_table(("field", "type", "meaning"), rows),
            "",
        ]
    )


def _name_argument(action: argparse.Action) -> str:
    if not action.option_strings:
        return f"`{action.metavar or action.dest.upper()}`"
    value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
    return ", ".join(f"`{option}{value}`" for option in action.option_strings)


def _describe_argument(action: argparse.Action) -> str:
    choices = f"{' or '.join(f'`{choice}`' for choice in action.choices)}; " if action.choices else ""
    return choices + (action.help or "")


def render_values(schema: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """Return the reference of the chart's values.

    Args:
        schema: Content of values.schema.json.
        values: Content of values.yaml.
    """
    rows = [
        [f"`{path}`", _describe_value_type(node), _describe_value(default), str(node.get("description", ""))]
        for path, node, default in _walk(schema, values, "")
    ]
    lines = [HEADER, "# Values of the chart", "", "Every value is checked; what is unknown is refused.", ""]
    return "\n".join([*lines, *render_table(("value", "type", "default", "meaning"), rows), ""])


def _walk(schema: Mapping[str, Any], values: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any], Any]]:
    """Yield each value that can be set: path, schema, default. A map with known keys is walked into."""
    for name, node in schema.get("properties", {}).items():
        inner, default = f"{path}.{name}".lstrip("."), values.get(name) if isinstance(values, Mapping) else None
        if node.get("properties"):
            yield from _walk(node, default, inner)
        else:
            yield inner, node, default


def _describe_value_type(node: Mapping[str, Any]) -> str:
    if node.get("type") == "array":
        items = node.get("items") or {}
        return "list of " + (_describe_value_type(items) if items.get("type") or items.get("enum") else "objects")
    kinds = node.get("type")
    if isinstance(kinds, list):
        return " or ".join(kinds)
    return describe_type(node) if kinds or node.get("enum") else "any"


def _describe_value(default: Any) -> str:
    return "" if default is None else f"`{json.dumps(default)}`"
