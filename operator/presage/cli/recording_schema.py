"""JSON Schemas of the recording document's two lines, for SDKs of other languages; made from the parser's own bounds.

What no schema can say, such as the checksum, stands in docs/reference/recording-document.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from presage.core.recording import document

Schema = Mapping[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def render_header_schema() -> str:
    """Return the schema of the first line."""
    header = _object(
        "Header of a presage recording document: the first line.",
        {
            "format": {"const": document.FORMAT},
            "generation": _whole(document.MAX_GENERATION, "Higher for each new content; 0 is never written."),
            "sha256": {
                "type": "string",
                "pattern": "^[0-9a-f]{64}$",
                "description": "SHA-256 of the second line's bytes without its line feed, in lower-case hex.",
            },
        },
    )
    return _render(header)


def render_body_schema() -> str:
    """Return the schema of the second line."""
    owner = _object("The MetricProfile that it was made for.", {"namespace": _text(), "name": _text()})
    body = _object(
        "Body of a presage recording document: the second line.",
        {
            "metricProfile": owner,
            "attributeSets": _whole(
                document.MAX_ATTRIBUTE_SETS, "Most attribute sets of one metric; all further ones are one set together."
            ),
            "default": {"$ref": "#/$defs/profile", "description": "For event types that are not named."},
            "eventTypes": _map("event", document.MAX_EVENT_TYPES, "What is recorded, by event type."),
        },
    )
    definitions = {"event": _event(), "escalation": _escalation(), "profile": _profile(), "metric": _metric()}
    return _render({**body, "$defs": definitions})


def _event() -> Schema:
    return _object(
        "What is recorded of one event type.",
        {
            "profile": {"$ref": "#/$defs/profile"},
            "escalation": {
                "anyOf": [{"$ref": "#/$defs/escalation"}, {"type": "null"}],
                "description": "Another profile, for some of the instances and for a while.",
            },
        },
        optional=("escalation",),
    )


def _escalation() -> Schema:
    until = {"type": "number", "minimum": 0, "maximum": document.MAX_GENERATION}
    return _object(
        "A profile that some of the instances record by until it ends.",
        {
            "profile": {"$ref": "#/$defs/profile"},
            "share": {
                "type": "number", "minimum": 0, "maximum": 1,
                "description": "Share of the instances: those whose hash is below it.",
            },
            "until": {**until, "description": "Epoch second at which it ends."},
        },
    )  # fmt: skip


def _profile() -> Schema:
    return _object(
        "A profile: a metric that is not named is not recorded.",
        {
            "name": _text(),
            "exportIntervalSeconds": _whole(document.MAX_INTERVAL_S, "Seconds between two exports."),
            "exemplars": {"type": "boolean", "default": False, "description": "Whether histograms keep examples."},
            "metrics": _map("metric", document.MAX_METRICS, "By name."),
        },
        optional=("exemplars",),
    )


def _metric() -> Schema:
    return _object(
        "How one metric is recorded.",
        {
            "everyEvents": _whole(document.MAX_EVERY_EVENTS, "N: one event of each block of N, at a random position."),
            "attributes": {
                "type": "array", "maxItems": document.MAX_ATTRIBUTES, "items": _text(document.MAX_NAME), "default": [],
                "description": "Attributes that are kept; all others are dropped.",
            },
            "retention": {**_text(), "description": "Tier, such as 15d: the attribute presage_retention."},
        },
        optional=("attributes",),
    )  # fmt: skip


def _object(description: str, properties: Schema, optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "description": description, "required": required, "properties": properties}


def _map(of: str, most: int, description: str) -> Schema:
    return {
        "type": "object",
        "description": description,
        "maxProperties": most,
        "propertyNames": {"minLength": 1, "maxLength": document.MAX_NAME},
        "additionalProperties": {"$ref": f"#/$defs/{of}"},
    }


def _text(most: int = document.MAX_TEXT) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": most}


def _whole(most: int, description: str) -> Schema:
    return {"type": "integer", "minimum": 1, "maximum": most, "description": description}


def _render(schema: Schema) -> str:
    return json.dumps({"$schema": _DIALECT, **schema}, indent=2) + "\n"
