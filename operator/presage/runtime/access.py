"""Whether the rights that presage needs are there, asked of the API server while it runs.

A missing right shows in many places at once: lists, watches, writes of status, events. Here it is said once, whole,
and with its remedy; so those places need not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from presage.adapters.kube import KubeClient, KubeError
from presage.core.installation.facts import Right

_RECHECK_S = 2.0
_ROUNDS = 15  # that long nothing is asked while all is well


class Access:
    """Asks again and again whether every right is there.

    Attributes:
        trouble: Which rights are missing, and the remedy; None while none is.

    Args:
        client: Asks as the process itself.
        needed: All rights.
        on_gain: Called when a right that was missing is there.
    """

    def __init__(self, client: KubeClient, needed: Iterable[Right], on_gain: Callable[[], None]) -> None:
        self._client = client
        self._needed = tuple(needed)
        self._on_gain = on_gain
        self._missing: set[Right] = set()
        self.trouble: str | None = None

    async def check(self) -> None:
        """Ask once; where the API server cannot be asked, what was known stays."""
        try:
            allowed = await asyncio.gather(*(self._client.may(right) for right in self._needed))
        except KubeError:
            return
        missing = {right for right, may in zip(self._needed, allowed, strict=True) if not may}
        gained, self._missing = self._missing - missing, missing
        self.trouble = describe_missing(right for right in self._needed if right in missing)
        if gained:
            self._on_gain()

    async def run(self, suspect: Callable[[], object]) -> None:
        """Ask, forever; often while something is missing, or while `suspect` says that something is wrong."""
        while True:
            await self.check()
            for _ in range(_ROUNDS):
                await asyncio.sleep(_RECHECK_S)
                if self.trouble or suspect():
                    break


def describe_missing(missing: Iterable[Right]) -> str | None:
    """Return one sentence for all missing rights; None if there is none."""
    verbs: dict[str, list[str]] = {}
    for right in missing:
        where = f" in namespace {right.namespace}" if right.namespace else ""
        what = f"{right.resource}.{right.group}" if right.group else right.resource
        verbs.setdefault(what + where, []).append(right.verb)
    if not verbs:
        return None
    listed = "; ".join(f"{', '.join(each)} {resource}" for resource, each in verbs.items())
    return f"presage has no right to: {listed}. Remedy: apply the chart's ClusterRole, Role and their bindings"
