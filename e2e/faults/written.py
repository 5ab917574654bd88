"""What the API server says was written, and by which pod (pure; read from its audit log).

Each line is one request of a pod, with the server's own clock. From it follows who held the Lease at every moment,
and so whether somebody wrote who did not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

_POD = "authentication.kubernetes.io/pod-name"
_LEASES = "coordination.k8s.io/leases"
_ASKED = "authorization.k8s.io"
"""Reviews of rights are sent like writes, and nothing is stored of them."""


@dataclass(frozen=True, slots=True)
class Write:
    """One request that changed something, or was refused.

    Attributes:
        at: Unix seconds at which it came in.
        pod: Pod that sent it, by its token.
        verb: Such as `patch`.
        place: `group/resource[/subresource]`, such as `apps/deployments/scale`.
        namespace: Of the object.
        name: Of the object; empty where the server makes it up.
        code: HTTP status of the answer.
        body: What was sent.
    """

    at: float
    pod: str
    verb: str
    place: str
    namespace: str
    name: str
    code: int
    body: dict[str, Any]

    @property
    def done(self) -> bool:
        """Whether the server took it."""
        return self.code < 300

    @property
    def replicas(self) -> int | None:
        """Replicas asked for, where it is a `scale`."""
        count = self.body.get("spec", {}).get("replicas") if self.place.endswith("/scale") else None
        return None if count is None else int(count)

    @property
    def holder(self) -> str | None:
        """Pod that holds the Lease after it, empty for none; None where it is no Lease."""
        if self.place != _LEASES:
            return None
        return str(self.body.get("spec", {}).get("holderIdentity") or "").rpartition("_")[0]

    def __str__(self) -> str:
        moment = datetime.fromtimestamp(self.at).strftime("%H:%M:%S.%f")[:-3]
        number = "" if self.replicas is None else f" to {self.replicas}"
        return f"{moment} {self.pod} {self.verb} {self.place} {self.namespace}/{self.name}{number}: {self.code}"


def parse_log(lines: Iterable[str]) -> Iterator[Write]:
    """Yield what was written, in the order of the audit log; a line that is still being written is left out."""
    for line in lines:
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            continue
        reference, user = event.get("objectRef") or {}, event.get("user") or {}
        if reference.get("apiGroup") == _ASKED:
            continue
        parts = (reference.get("apiGroup", ""), reference.get("resource", ""), reference.get("subresource", ""))
        yield Write(
            at=datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp(),
            pod=next(iter((user.get("extra") or {}).get(_POD, ())), ""),
            verb=event["verb"],
            place="/".join(part for part in parts if part),
            namespace=reference.get("namespace", ""),
            name=reference.get("name", ""),
            code=int(event.get("responseStatus", {}).get("code", 0)),
            body=event.get("requestObject") or {},
        )


def find_strangers(writes: Sequence[Write]) -> list[Write]:
    """Return what was written by a pod that did not hold the Lease at that moment; Leases themselves aside.

    What came before the first write of the Lease is left out: who held it then is not known.
    """
    holder: str | None = None
    found = []
    for write in sorted((each for each in writes if each.done), key=lambda each: each.at):
        if write.holder is not None:
            holder = write.holder
        elif holder is not None and write.pod != holder:
            found.append(write)
    return found


def find_repeats(scales: Sequence[Write]) -> list[Write]:
    """Return those scales of one target, in order, that ask for the number the one before asked for."""
    done = [each for each in scales if each.done]
    return [second for first, second in pairwise(done) if first.replicas == second.replicas]


def find_takeover(writes: Sequence[Write], pod: str) -> Write | None:
    """Return the first write with which a pod became the holder of the Lease; None if it never did."""
    return next((each for each in writes if each.done and each.holder == pod), None)
