"""Which askers of one source form one query, and whose answer is whose.

Askers that differ in the value of one `=` matcher share a query: their values become one regular expression, and the
answer is grouped by that label. Invariants: each asker is in exactly one query; an asker's share of the answer is what
it would have got alone, and nothing where there is none; two tenants are never in one query.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from presage.core.history import MAX_POINTS
from presage.core.query import PART_LABEL, Matcher, Selection, escape_regex

T = TypeVar("T")

MAX_VALUES = 500  # askers in one query
MAX_SAMPLES = 25_000  # series × points of one range answer: parsed in some 15 ms, in which no other thread gets on
_NEVER_SHARED = ("__name__", PART_LABEL)  # `rate` drops the one, a tick query overwrites the other
_WHOLE = ""


@dataclass(frozen=True, slots=True)
class SharedQuery:
    """One query for one asker or several.

    Attributes:
        asked: What the query selects.
        label: Whose values tell the answers apart; None where the whole answer is the one asker's.
        values: Asker → its value of `label`; of a lone asker the empty string.
    """

    asked: Selection
    label: str | None
    values: Mapping[Selection, str]

    def share_out(self, answers: Mapping[str, T], nothing: T) -> dict[Selection, T]:
        """Return asker → answer, from answers by value of the label; `nothing` for an asker without one."""
        return {asker: answers.get(value, nothing) for asker, value in self.values.items()}

    def halve(self) -> tuple[SharedQuery, SharedQuery]:
        """Return two queries that ask for half of the askers each; there must be two at least."""
        askers, middle = list(self.values), len(self.values) // 2
        return self._narrow(askers[:middle]), self._narrow(askers[middle:])

    def _narrow(self, askers: Sequence[Selection]) -> SharedQuery:
        if self.label is None or len(askers) == 1:
            return ask_alone(askers[0])
        return _ask_together(self.label, askers)


def ask_alone(asker: Selection) -> SharedQuery:
    """Return the query of one asker."""
    return SharedQuery(asker, None, {asker: _WHOLE})


def plan_queries(askers: Iterable[Selection], most: int = MAX_VALUES) -> list[SharedQuery]:
    """Return queries that ask for every asker once, none for more than `most`; large families are formed first."""
    left = dict.fromkeys(askers)
    queries = []
    for (_, label), members in sorted(_find_families(left).items(), key=lambda family: -len(family[1])):
        free = [asker for asker in members if asker in left]
        if len(free) < 2 or most < 2:
            continue
        for first in range(0, len(free), most):
            part = free[first : first + most]
            queries.append(_ask_together(label, part) if len(part) > 1 else ask_alone(part[0]))
        for asker in free:
            del left[asker]
    return queries + [ask_alone(asker) for asker in left]


def limit_points(series: int) -> int:
    """Return the points to ask for in one range query of so many series: at most the server's own limit."""
    return max(1, min(MAX_POINTS, MAX_SAMPLES // max(1, series)))


def _find_families(askers: Iterable[Selection]) -> dict[tuple[Selection, str], list[Selection]]:
    """Return askers by what they have in common: the selection without one `=` matcher, and that matcher's label."""
    families: dict[tuple[Selection, str], list[Selection]] = {}
    for asker in askers:
        for label in dict.fromkeys(m.label for m in asker.load.matchers if m.op == "="):
            rest, _ = _take_out(asker, label)
            if label not in _NEVER_SHARED:
                families.setdefault((rest, label), []).append(asker)
    return families


def _take_out(asker: Selection, label: str) -> tuple[Selection, str]:
    """Return the selection without its first `=` matcher on `label`, and the value of that matcher."""
    matchers = sorted(set(asker.load.matchers), key=lambda m: (m.label, m.op, m.value))
    taken = next(m for m in matchers if m.label == label and m.op == "=")
    rest = tuple(m for m in matchers if m is not taken)
    return replace(asker, load=replace(asker.load, matchers=rest)), taken.value


def _ask_together(label: str, askers: Sequence[Selection]) -> SharedQuery:
    taken = {asker: _take_out(asker, label) for asker in askers}
    values = {asker: value for asker, (_, value) in taken.items()}
    pattern = "|".join(escape_regex(value) for value in sorted(set(values.values())))
    rest = taken[askers[0]][0]
    matchers = (*rest.load.matchers, Matcher(label, "=~", pattern))
    return SharedQuery(replace(rest, load=replace(rest.load, matchers=matchers)), label, values)
