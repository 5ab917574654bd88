"""Simple reads for the command-line tool, through pykube-ng: small, and it reads kubeconfigs as kubectl does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pykube
import requests


class ReaderError(Exception):
    """The object cannot be read; the message says what to do.

    Attributes:
        exit_code: 2 for a wrong name or kubeconfig, 3 for a cluster that cannot be reached.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def read_object(
    api_version: str, kind: str, name: str, namespace: str | None, context: str | None
) -> Mapping[str, Any]:
    """Return one namespaced object.

    Args:
        api_version: Group and version.
        kind: Kind.
        name: Name.
        namespace: Namespace; None for that of the context.
        context: Context of the kubeconfig; None for the current one.

    Raises:
        ReaderError: If it cannot be read.
    """
    try:
        config = pykube.KubeConfig.from_env()
        if context:
            config.set_current_context(context)
        namespace = namespace or config.namespace
        api = pykube.HTTPClient(config, timeout=10)
        factory = pykube.object_factory(api, api_version, kind)
        found: Mapping[str, Any] = factory.objects(api).filter(namespace=namespace).get_by_name(name).obj
    except pykube.exceptions.ObjectDoesNotExist:
        raise ReaderError(f"there is no {kind} {name} in namespace {namespace}", 2) from None
    except pykube.exceptions.PyKubeError as error:
        raise ReaderError(f"cannot use the kubeconfig: {error}", 2) from None
    except requests.RequestException as error:
        raise ReaderError(f"cannot read from the cluster: {type(error).__name__}", 3) from None
    except (ValueError, KeyError, FileNotFoundError) as error:
        raise ReaderError(f"cannot read {kind}: {error}; are presage's CRDs installed?", 3) from None
    return found
