"""What is known of an installation, in plain data. A thing that could not be read is `Unread`, never "absent"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unread:
    """Something could not be read, and why."""

    why: str


Known: TypeAlias = T | Unread
"""What was read, or why it was not."""


@dataclass(frozen=True, slots=True)
class Server:
    """The API server.

    Attributes:
        major: Major version.
        minor: Minor version.
        version: Version as it states it.
        ahead_s: Seconds its clock is ahead of ours; None if it gave no date.
        uncertainty_s: How far `ahead_s` may be off.
    """

    major: int
    minor: int
    version: str
    ahead_s: float | None
    uncertainty_s: float


@dataclass(frozen=True, slots=True)
class Definition:
    """A CustomResourceDefinition of ours, or one of our group that this version does not ship (`shipped` false).

    Attributes:
        name: Name of the definition.
        shipped: Whether this version ships it.
        found: Whether it is on the cluster.
        established: Whether the API server serves it.
        deleting: Whether it is being deleted.
        differences: What differs in meaning from the shipped one.
    """

    name: str
    shipped: bool = True
    found: bool = True
    established: bool = True
    deleting: bool = False
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Right:
    """A right the operator's account needs; an empty namespace means all of them."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    def to_review(self) -> dict[str, str]:
        """Return the `resourceAttributes` of an access review."""
        plural, _, subresource = self.resource.partition("/")
        return {
            "verb": self.verb,
            "group": self.group,
            "resource": plural,
            "subresource": subresource,
            "namespace": self.namespace,
            "name": self.name,
        }

    def __str__(self) -> str:
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        where = f"namespace {self.namespace}" if self.namespace else "every namespace"
        return f"{self.verb} {what}{f' {self.name}' if self.name else ''} in {where}"


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod of the operator.

    Attributes:
        name: Its name.
        ready: Whether it is Ready.
        restarts: Restarts of its container so far.
        trouble: Why it waits or last ended, such as `ImagePullBackOff`; empty if it runs.
        deleting: Whether it is on its way out.
    """

    name: str
    ready: bool
    restarts: int = 0
    trouble: str = ""
    deleting: bool = False


@dataclass(frozen=True, slots=True)
class Operator:
    """The operator's Deployment and its pods.

    Attributes:
        namespace: Where it is.
        name: Name of the Deployment.
        version: Its label `app.kubernetes.io/version`.
        image: Image of its container.
        replicas: Pods asked for.
        account: Its service account.
        pods: Its pods, or why they could not be read.
    """

    namespace: str
    name: str
    version: str
    image: str
    replicas: int
    account: str
    pods: Known[tuple[Pod, ...]]


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """One Lease of an operator. Times are epoch seconds.

    Attributes:
        namespace: Where it is.
        name: Its name.
        holder: Pod of the holder; empty if nobody holds it.
        duration_s: How long the holder counts after a renewal.
        renewed_at: Last renewal by the holder's clock; None if never.
        written_at: Last renewal by the API server's clock; None if it does not tell.
        seen_at: When it was read, by the API server's clock if known.
    """

    namespace: str
    name: str
    holder: str
    duration_s: float
    renewed_at: float | None
    written_at: float | None
    seen_at: float


@dataclass(frozen=True, slots=True)
class Observation:
    """A condition as an object carries it."""

    type: str
    status: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Managed:
    """An object of one of our kinds.

    Attributes:
        kind: Its kind.
        namespace: Empty for cluster-scoped kinds.
        name: Its name.
        current: Whether its status is about its present spec.
        conditions: What its status says.
        deleting_s: Seconds since its deletion was asked for; None if it was not.
        finalizers: What holds its deletion up.
    """

    kind: str
    namespace: str
    name: str
    current: bool
    conditions: tuple[Observation, ...]
    deleting_s: float | None = None
    finalizers: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Namespace and name."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Policy:
    """A ValidatingAdmissionPolicy of ours.

    Attributes:
        name: Its name.
        bound: Whether a binding names it.
        denies: Whether a binding refuses, and does not only warn or audit.
        warnings: What the API server found wrong with its expressions.
    """

    name: str
    bound: bool
    denies: bool
    warnings: tuple[str, ...] = ()
