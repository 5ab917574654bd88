"""When the webhook's certificate is renewed, so that at no moment a server shows one that is not trusted.

Each certificate has an authority of its own, whose key is thrown away once it has signed. A change takes two steps: the
next authority is trusted beside the present one first, and only later the servers change over. So whichever of the two
a replica still shows, and whichever list of authorities an API server still holds, they fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OVERLAP_S = 300.0
"""Time between trusting the next authority and serving by it: API servers learn of it by a watch, in seconds."""
_RENEW_SHARE = 1 / 3  # of its life that is left when the next one is made

Step = Literal["Keep", "Begin", "Stage", "Promote"]
"""Nothing; make the first pair (or anew, where nothing can be used); make the next one; serve the next one."""


@dataclass(frozen=True, slots=True)
class Validity:
    """When a certificate is valid, in epoch seconds, and for which names.

    Attributes:
        made_at: When it was made.
        ends_at: When it ends.
        names: DNS names and addresses.
    """

    made_at: float
    ends_at: float
    names: frozenset[str]


def plan_step(serving: Validity | None, following: Validity | None, names: frozenset[str], now: float) -> Step:
    """Return what is to be done.

    Args:
        serving: Of the certificate that is shown; None if there is none that can be read.
        following: Of the one that is to follow, if there is one.
        names: What it must be valid for.
        now: Epoch second.
    """
    if serving is None or not names <= serving.names or now >= serving.ends_at:
        return "Begin"
    if following is not None and names <= following.names:
        overlap_s = min(OVERLAP_S, (following.ends_at - following.made_at) * _RENEW_SHARE / 2)
        return "Promote" if now >= following.made_at + overlap_s else "Keep"
    life_s = serving.ends_at - serving.made_at
    return "Stage" if serving.ends_at - now < life_s * _RENEW_SHARE else "Keep"
