"""Numbers written as text: Kubernetes quantities.

Custom resources carry decimals as strings, because floats lose digits on the way through YAML and JSON. They become
`Decimal` here, once, and every refusal says what was read and which form is wanted.
"""

from __future__ import annotations

import re
from decimal import Decimal

_QUANTITY = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:([eE][+-]?[0-9]{1,2})|([numkMGTPE]|[KMGTPE]i))?")
_MAX_LENGTH = 64

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


def _shown(text: str) -> str:
    """Quote input for a message without letting a long one flood it."""
    return repr(text if len(text) <= _MAX_LENGTH else text[: _MAX_LENGTH - 1] + "…")
