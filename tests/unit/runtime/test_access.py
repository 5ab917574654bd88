"""Missing rights are one sentence that names each of them and the remedy."""

from __future__ import annotations

from presage.adapters.kube import Unavailable
from presage.core.installation.facts import Right
from presage.runtime.access import Access, describe_missing

PODS = (Right("list", "", "pods"), Right("watch", "", "pods"))
SCALE = Right("patch", "apps", "deployments/scale")
LEASE = Right("get", "coordination.k8s.io", "leases", "system", "operator")
NEEDED = (SCALE, *PODS, LEASE)


class Server:
    """Answers as an API server on which some rights are missing."""

    def __init__(self) -> None:
        self.missing: set[Right] = set()
        self.down = False

    async def may(self, right: Right) -> bool:
        if self.down:
            raise Unavailable("down")
        return right not in self.missing


async def test_what_is_missing_is_named_with_the_remedy_and_remembered_while_nobody_answers() -> None:
    server = Server()
    gains: list[str] = []
    access = Access(server, NEEDED, lambda: gains.append("gained"))  # type: ignore[arg-type]  # only `may` is used
    await access.check()
    assert access.trouble is None
    server.missing = {*PODS, SCALE}
    await access.check()
    told = access.trouble
    assert told == (
        "presage has no right to: patch deployments/scale.apps; list, watch pods. "
        "Remedy: apply the chart's ClusterRole, Role and their bindings"
    )
    server.down = True
    await access.check()
    assert access.trouble == told
    assert gains == []
    server.down, server.missing = False, set()
    await access.check()
    assert access.trouble is None
    assert gains == ["gained"], "so that nobody waits any longer than needed"


def test_a_right_in_one_namespace_says_so() -> None:
    assert "get leases.coordination.k8s.io in namespace system" in (describe_missing([LEASE]) or "")


def test_nothing_missing_is_no_trouble() -> None:
    assert describe_missing([]) is None
