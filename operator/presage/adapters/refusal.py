"""What a refused write means, in words a person can act on."""

from __future__ import annotations

from presage.adapters.kube import Conflict, Forbidden, Invalid, KubeError
from presage.core.faults import WriteRefused


def build_refusal(error: KubeError, deed: str, what: str) -> WriteRefused:
    """Return the fault that a refused write stands for.

    Args:
        error: What the API server, or the way to it, said.
        deed: What was tried, such as `scale Deployment shop to 5 replicas`.
        what: The object it was tried on.
    """
    if isinstance(error, Forbidden):
        return WriteRefused("Forbidden", f"presage may not {deed}: restore the rights of the chart's ClusterRole.")
    if isinstance(error, Invalid):
        return WriteRefused("Refused", f"The API server refuses to {deed}: {error}")
    if isinstance(error, Conflict):
        return WriteRefused("Conflict", f"Someone else wrote {what} just now; tried again.")
    return WriteRefused("Unavailable", f"The API server did not {deed}; tried again.")
