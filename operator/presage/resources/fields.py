"""Field types that several kinds share, each with its bounds and rules."""

from __future__ import annotations

import re
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from presage.core.query import LABEL_NAME, METRIC_NAME
from presage.resources.base import Model, Rule

_DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DNS_SUBDOMAIN = rf"{_DNS_LABEL}(\.{_DNS_LABEL})*"
_QUANTITY = "^[0-9]*[.]?[0-9]+(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"

DnsLabel = Annotated[str, Field(min_length=1, max_length=63, pattern=f"^{_DNS_LABEL}$")]
"""Name of a namespace or of an entry in a list."""

ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=f"^{_DNS_SUBDOMAIN}$")]
"""Name of a Kubernetes object."""

SecretKeyName = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")]
"""Key in the data of a Secret."""

LabelName = Annotated[
    str,
    Field(min_length=1, max_length=128, pattern=f"^{LABEL_NAME.pattern}$"),
    Rule(
        "self != '__name__'", "a label cannot be __name__: give the metric's name in metric", lambda v: v != "__name__"
    ),
]
"""Name of a Prometheus label."""

MetricName = Annotated[str, Field(min_length=1, max_length=256, pattern=f"^{METRIC_NAME.pattern}$")]
"""Name of a Prometheus metric."""


def _refuse_unknown_zone(name: str) -> str:
    """Refuse zones that no data exists for; the API server cannot know them."""
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise PydanticCustomError(
            "time_zone", 'timeZone must be an IANA name such as "Europe/Berlin" or "Etc/UTC"'
        ) from None
    return name


TimeZone = Annotated[
    str,
    Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"),
    AfterValidator(_refuse_unknown_zone),
]
"""IANA name of a time zone."""


def positive_quantity(name: str) -> Rule:
    """Return the rule that a field is a quantity above zero.

    Args:
        name: the field's name as users write it.
    """
    return Rule(
        f"self.matches('{_QUANTITY}') && self.matches('[1-9]')",
        f'{name} must be a quantity above 0 written as a string, such as "50", "0.5", "500m" or "2k"',
        _is_positive_quantity,
    )


def _is_positive_quantity(text: str) -> bool:
    return "\n" not in text and re.search(_QUANTITY, text) is not None and re.search("[1-9]", text) is not None


QUANTITY_MAX_LENGTH = 24


class LocalReference(Model):
    """Names one object, in the same namespace or without one."""

    name: ObjectName = Field(description="Name of the object.", examples=["main"])
