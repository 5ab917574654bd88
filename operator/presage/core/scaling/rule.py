"""What replicas are made for, and the rules there are to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from presage.core.scaling.curves import CURVES, OBSERVED, PAST, Curve, quantile_curve

HEADROOMS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
MORE_HEADROOMS = (0.7, 1.0, 1.5)  # where nothing but the observed load is gone by
DEFAULT_LEVEL = 0.95
DEFAULT_HEADROOM = 0.25  # what an autoscaler that aims at 80 % of a pod keeps


@dataclass(frozen=True, slots=True)
class Rule:
    """Replicas are made for the highest load of `curve` ahead, and for the observed load with `headroom` on it.

    Attributes:
        curve: The course of the load to prepare for.
        headroom: Share of the observed load that is added to it.
    """

    curve: Curve
    headroom: float

    def __str__(self) -> str:
        """In few words, for status and events."""
        reactive = f"observed + {self.headroom * 100:g} %"
        return reactive if self.curve is OBSERVED else f"{self.curve.name}, {reactive}"


def list_rules(level: float | None, headroom: float | None) -> tuple[Rule, ...]:
    """Return every rule that may be chosen, where the user fixes a quantile or a headroom or leaves them open.

    Args:
        level: Quantile asked for; the forecast is followed at no other then. None: the objective chooses.
        headroom: Share asked for; None: the objective chooses.
    """
    curves: Sequence[Curve] = CURVES if level is None else (quantile_curve(level), *PAST, OBSERVED)
    shares = HEADROOMS if headroom is None else (headroom,)
    more = MORE_HEADROOMS if headroom is None else ()
    rules = [Rule(curve, share) for curve in curves for share in shares]
    return (*rules, *(Rule(OBSERVED, share) for share in more))


def default_rule(level: float | None, headroom: float | None, *, foresees: bool) -> Rule:
    """Return the rule before anything was replayed.

    Args:
        level: As for `list_rules`.
        headroom: As for `list_rules`.
        foresees: Whether there is a forecast that may be gone by.
    """
    curve = quantile_curve(DEFAULT_LEVEL if level is None else level) if foresees else OBSERVED
    return Rule(curve, DEFAULT_HEADROOM if headroom is None else headroom)
