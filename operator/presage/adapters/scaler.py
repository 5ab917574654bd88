"""Writes replicas, as the port `Scaler`; the API server's refusals become faults a person can act on."""

from __future__ import annotations

from presage.adapters.kube import Conflict, KubeClient, KubeError, NotFound
from presage.adapters.kube_json import int_at, text_at
from presage.adapters.refusal import build_refusal
from presage.core.faults import WriteRefused
from presage.core.resource_type import ResourceType


class KubeScaler:
    """Answers the port `Scaler`.

    Args:
        client: A fenced client: it writes only while the Lease is held.
    """

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def scale(self, resource: ResourceType, namespace: str, name: str, expected: int, replicas: int) -> None:
        """Set the replicas of a target through its `scale` subresource, if it still has `expected` of them.

        The decision was made on a watched copy, which may lag: a blind write could take back what somebody, or we
        ourselves, wrote a moment ago.

        Raises:
            WriteRefused: If the API server does not take it.
        """
        what = f"{resource.kind} {name}"
        try:
            await self._compare_and_set(resource, namespace, name, expected, replicas)
        except NotFound as error:
            raise WriteRefused("TargetNotFound", f"{what} is gone.") from error
        except KubeError as error:
            raise build_refusal(error, f"scale {what} to {replicas} replicas", what) from error

    async def _compare_and_set(
        self, resource: ResourceType, namespace: str, name: str, expected: int, replicas: int
    ) -> None:
        for last in (False, False, True):
            scale = await self._client.get_scale(resource, name, namespace)
            if (int_at(scale, "spec", "replicas") or 0) != expected:
                raise Conflict(f"{name} no longer has {expected} replicas")
            version = text_at(scale, "metadata", "resourceVersion")
            try:
                await self._client.patch_scale(resource, name, namespace, replicas, resource_version=version)
            except Conflict:  # most often its own controller wrote status in between, which changes nothing for us
                if last:
                    raise
            else:
                return
