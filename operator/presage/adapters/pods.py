"""What presage does to pods, as the port `Pods`: it annotates them, and asks for their end."""

from __future__ import annotations

from collections.abc import Mapping

from presage.adapters.kube import KubeClient, KubeError, NotFound, Throttled
from presage.adapters.kube_path import PODS
from presage.adapters.refusal import build_refusal
from presage.core.faults import WriteRefused

FIELD_MANAGER = "presage-recording"


class KubePods:
    """Answers the port `Pods`.

    Args:
        client: A fenced client: it writes only while the Lease is held.
    """

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def annotate(self, namespace: str, name: str, annotations: Mapping[str, str]) -> None:
        """Set annotations of a pod; one that is gone is no error.

        Raises:
            WriteRefused: If the API server does not take it.
        """
        try:
            await self._client.annotate(PODS, name, namespace, annotations, FIELD_MANAGER)
        except NotFound:
            return
        except KubeError as error:
            raise build_refusal(error, f"annotate Pod {name}", f"Pod {name}") from error

    async def evict(self, namespace: str, name: str, uid: str) -> None:
        """Ask for a pod's end; one that is gone is no error.

        Raises:
            WriteRefused: If the API server does not take it, or a PodDisruptionBudget stands against it.
        """
        try:
            await self._client.evict(name, namespace, uid)
        except NotFound:
            return
        except Throttled as error:
            message = f"Pod {name} is not evicted now: a PodDisruptionBudget stands against it; tried again."
            raise WriteRefused("DisruptionBudget", message) from error
        except KubeError as error:
            raise build_refusal(error, f"evict Pod {name}", f"Pod {name}") from error
