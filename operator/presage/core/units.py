"""Numbers written as text: Kubernetes quantities, durations and moments.

Custom resources carry decimals as strings, because floats lose digits on the way through YAML and JSON. They become
`Decimal` here, once, and every refusal says what was read and which form is wanted.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

_QUANTITY = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:([eE][+-]?[0-9]{1,2})|([numkMGTPE]|[KMGTPE]i))?")
_MAX_LENGTH = 64
_DURATION = re.compile(r"(?:([0-9]+)w)?(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s?)?")
_DURATION_UNITS = (604_800, 86_400, 3_600, 60, 1)
_MAX_DURATION_S = 100 * 366 * 86_400

_FACTORS = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "E": Decimal(10**18),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
    "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}


def parse_quantity(text: str) -> Decimal:
    """Read a Kubernetes quantity such as `50`, `500m`, `1.5k`, `2Ki` or `1e3`.

    Args:
        text: the quantity; a sign is allowed, spaces are not.

    Returns:
        The exact value in the base unit.

    Raises:
        ValueError: if the text is not a quantity; the message quotes it and shows valid forms.

    Source: Kubernetes API reference, `resource.Quantity` (serialisation format).
    """
    match = _QUANTITY.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if match is None:
        raise ValueError(f'{_shown(text)} is not a quantity: write a number such as "50", "0.5", "500m", "1k" or "2Ki"')
    number, exponent, suffix = match.groups()
    value = Decimal(number + (exponent or ""))
    return value * _FACTORS[suffix] if suffix else value


def parse_duration(text: str) -> int:
    """Read a duration such as `30s`, `5m`, `1h30m`, `21d` or `300` (seconds), as Prometheus writes them.

    Returns:
        Seconds, at least one.

    Raises:
        ValueError: if the text is not a duration; the message quotes it and shows valid forms.
    """
    match = _DURATION.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    numbers = match.groups(default="0") if match else ("0",) * len(_DURATION_UNITS)
    seconds = sum(int(number) * unit for number, unit in zip(numbers, _DURATION_UNITS, strict=True))
    if not 1 <= seconds <= _MAX_DURATION_S:
        raise ValueError(f'{_shown(text)} is not a duration: write one such as "30s", "5m", "1h30m", "21d" or "300"')
    return seconds


def format_duration(seconds: float) -> str:
    """Return a duration as people read it, such as `5 min`, `1 h 30 min` or `21 d`; parts of a second are rounded."""
    left, parts = round(seconds), []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts) or "0 s"


def to_time(epoch: float) -> str:
    """Return an epoch second as Kubernetes writes moments (RFC 3339)."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_time(text: str) -> float:
    """Return the epoch second of a moment as Kubernetes writes it.

    Raises:
        ValueError: if it is none.
    """
    return datetime.fromisoformat(text).timestamp()


def parse_time(text: object) -> float | None:
    """Return the epoch second of a moment that an object of the API may hold; None if it holds none."""
    try:
        return read_time(str(text)) if text else None
    except ValueError:
        return None


def _shown(text: str) -> str:
    """Quote input for a message without letting a long one flood it."""
    return repr(text if len(text) <= _MAX_LENGTH else text[: _MAX_LENGTH - 1] + "…")
