"""Read an installation. What the caller may not read becomes `Unread`; only a cluster out of reach is an error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from presage.adapters.kube_json import at
from presage.adapters.kube_path import LEASES, PODS
from presage.adapters.kubeconfig_reader import Absent, ClusterReader, Refused, decode
from presage.cli import api, parse
from presage.core.installation.facts import (
    Definition,
    Known,
    LeaseRecord,
    Managed,
    Operator,
    Pod,
    Policy,
    Right,
    Server,
    Unread,
)
from presage.core.recording.injection import Mechanism
from presage.core.recording.proof import CANDIDATES, build_proof, is_injected
from presage.core.resource_type import ResourceType
from presage.reconcile.kind import AnyKind
from presage.resources.base import GROUP
from presage.runtime.rights import list_rights

T = TypeVar("T")
Json = dict[str, Any]


Raw = dict[str, Known[list[Json]]]
"""Objects as they were read, by plural, for the support bundle."""


@dataclass(frozen=True, slots=True)
class Installation:
    """All facts about one installation, and the objects they were taken from.

    Attributes:
        namespace: The operator's.
        server: The API server.
        definitions: CRDs.
        operators: All operators found.
        leases: Their Leases.
        account: The operator's service account as a user name; empty if there is no operator.
        rights: Which of the rights it needs it has.
        objects: Objects by kind.
        policies: Admission policies.
        budgets: Names of the disruption budgets in the operator's namespace.
        injection: By what new pods are injected.
        raw: What all this was read from.
    """

    namespace: str
    server: Server
    definitions: Known[tuple[Definition, ...]]
    operators: Known[tuple[Operator, ...]]
    leases: Known[tuple[LeaseRecord, ...]]
    account: str
    rights: Known[Mapping[Right, bool]]
    objects: Mapping[str, Known[tuple[Managed, ...]]]
    policies: Known[tuple[Policy, ...]]
    budgets: Known[tuple[str, ...]]
    injection: Known[Mechanism]
    raw: Raw

    @property
    def operator(self) -> Operator | None:
        """The operator, if there is exactly one."""
        if isinstance(self.operators, Unread) or len(self.operators) != 1:
            return None
        return self.operators[0]


def gather_installation(
    reader: ClusterReader, namespace: str | None, kinds: tuple[AnyKind, ...], tell: Callable[[str], None]
) -> Installation:
    """Read everything the check judges.

    Args:
        reader: Of the cluster.
        namespace: The operator's; None to look for it by its labels.
        kinds: All kinds.
        tell: Told what is being read.

    Raises:
        ReaderError: If the cluster cannot be reached.
    """
    raw: Raw = {}
    tell("API server")
    server, offset_s = _gather_server(reader, raw)
    tell("operator")
    operators = _gather_operators(reader, namespace, raw)
    found = [] if isinstance(operators, Unread) else operators
    home = namespace or (found[0].namespace if found else api.DEFAULT_NAMESPACE)
    deployments = raw.get("deployments")
    one = deployments[0] if isinstance(deployments, list) and len(deployments) == 1 else None
    lease = parse.parse_lease_name(one)
    tell("Lease")
    leases = _gather_leases(reader, home, lease, offset_s, raw)
    tell("CRDs and objects")
    definitions = _known(_read_all(reader, raw, "crds", api.DEFINITIONS), lambda crds: _definitions(crds, kinds))
    objects = {kind.name: _gather_objects(reader, kind.resource, offset_s, raw) for kind in kinds}
    tell("rights")
    account = f"system:serviceaccount:{home}:{found[0].account}" if len(found) == 1 else ""
    secrets = parse.list_secrets(_sources(raw, kinds))
    return Installation(
        namespace=home,
        server=server,
        definitions=definitions,
        operators=operators,
        leases=leases,
        account=account,
        rights=_ask_rights(reader, account, list_rights(kinds, namespace=home, lease=lease, secrets=secrets)),
        objects=objects,
        policies=_gather_policies(reader, raw),
        budgets=_known(
            _read_all(reader, raw, "poddisruptionbudgets", api.BUDGETS, home, query={"labelSelector": api.PART}),
            lambda found: tuple(str(at(each, "metadata", "name")) for each in found),
        ),
        injection=read(lambda: _try_injection(reader, home)),
        raw=raw,
    )


def read(call: Callable[[], T]) -> Known[T]:
    """Call, and turn a refusal into `Unread`.

    Raises:
        ReaderError: If the cluster cannot be reached.
    """
    try:
        return call()
    except (Refused, Absent) as error:
        return Unread(str(error))


def _known(found: Known[list[Json]], parse_all: Callable[[list[Json]], T]) -> Known[T]:
    return found if isinstance(found, Unread) else parse_all(found)


def _read_all(
    reader: ClusterReader,
    raw: Raw,
    name: str,
    resource: ResourceType,
    namespace: str | None = None,
    query: Mapping[str, str] | None = None,
) -> Known[list[Json]]:
    raw[name] = found = read(lambda: list(reader.each(resource, namespace, query=query)))
    return found


def _gather_server(reader: ClusterReader, raw: Raw) -> tuple[Server, float]:
    """Read the version; the second value is what to add to our time to get the API server's."""
    answer = reader.fetch("/version")
    version = decode(answer, "/version")
    raw["version"] = [version]
    half = (answer.received - answer.sent) / 2
    ahead = None if answer.date is None else answer.date + 0.5 - (answer.sent + half)  # a date is cut to whole seconds
    return parse.parse_server(version, ahead, half + 0.5), ahead or 0.0


def _gather_operators(reader: ClusterReader, namespace: str | None, raw: Raw) -> Known[tuple[Operator, ...]]:
    def look(where: str | None) -> Known[list[Json]]:
        return _read_all(reader, raw, "deployments", api.DEPLOYMENTS, where, query={"labelSelector": api.OPERATOR})

    found = look(namespace)
    if namespace is None and isinstance(found, Unread):  # the caller may not look everywhere
        found = look(api.DEFAULT_NAMESPACE)
    if isinstance(found, Unread):
        return found
    return tuple(parse.parse_operator(each, _gather_pods(reader, each, raw)) for each in found)


def _gather_pods(reader: ClusterReader, deployment: Json, raw: Raw) -> Known[tuple[Pod, ...]]:
    labels = at(deployment, "spec", "selector", "matchLabels") or {}
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    namespace = str(at(deployment, "metadata", "namespace"))
    before = raw.get("pods")
    pods = _read_all(reader, raw, "pods", api.PODS, namespace, query={"labelSelector": selector})
    if before and not isinstance(before, Unread) and not isinstance(pods, Unread):
        raw["pods"] = [*before, *pods]  # of two operators, both
    return _known(pods, lambda found: tuple(parse.parse_pod(each) for each in found))


def _gather_leases(
    reader: ClusterReader, home: str, name: str, offset_s: float, raw: Raw
) -> Known[tuple[LeaseRecord, ...]]:
    """Read the Leases of this name everywhere, or, where that is refused, at home only."""
    query = {"fieldSelector": f"metadata.name={name}"}
    found = _read_all(reader, raw, "leases", LEASES, None, query)
    if isinstance(found, Unread):
        found = _read_all(reader, raw, "leases", LEASES, home, query)
    now = time.time() + offset_s
    return _known(found, lambda leases: tuple(parse.parse_lease(each, now) for each in leases))


def _definitions(crds: Iterable[Json], kinds: tuple[AnyKind, ...]) -> tuple[Definition, ...]:
    return parse.parse_definitions(crds, kinds, GROUP)


def _gather_objects(
    reader: ClusterReader, resource: ResourceType, offset_s: float, raw: Raw
) -> Known[tuple[Managed, ...]]:
    found = _read_all(reader, raw, resource.plural, resource)
    now = time.time() + offset_s
    return _known(found, lambda objects: tuple(parse.parse_managed(each, resource.kind, now) for each in objects))


def _sources(raw: Raw, kinds: Iterable[AnyKind]) -> list[Json]:
    """Return the objects that may name Secrets in the operator's namespace: those without one of their own."""
    lists = (raw[kind.resource.plural] for kind in kinds if not kind.resource.namespaced)
    return [each for found in lists if not isinstance(found, Unread) for each in found]


def _ask_rights(reader: ClusterReader, account: str, rights: Iterable[Right]) -> Known[Mapping[Right, bool]]:
    if not account:
        return Unread("the operator's account is not known")
    return read(lambda: {right: reader.allows(account, _groups(account), right) for right in rights})


def _groups(account: str) -> list[str]:
    namespace = account.split(":")[2]
    return ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]


def _gather_policies(reader: ClusterReader, raw: Raw) -> Known[tuple[Policy, ...]]:
    policies = _read_all(reader, raw, "validatingadmissionpolicies", api.POLICIES, query={"labelSelector": api.PART})
    bindings = _read_all(
        reader, raw, "validatingadmissionpolicybindings", api.BINDINGS, query={"labelSelector": api.PART}
    )
    if isinstance(policies, Unread):
        return policies
    return bindings if isinstance(bindings, Unread) else parse.parse_policies(policies, bindings)


def _try_injection(reader: ClusterReader, namespace: str) -> Mechanism:
    """Find out by dry runs what injects new pods; nothing is stored."""
    for candidate in CANDIDATES:
        if is_injected(reader.try_create(PODS, namespace, build_proof(candidate))):
            return candidate
    return "None"
