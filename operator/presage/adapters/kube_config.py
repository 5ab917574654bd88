"""How the API server is reached: service account in a pod, else a kubeconfig.

The kubernetes client library reads both forms and refreshes tokens; nothing here keeps a credential.
"""

from __future__ import annotations

import os
from typing import Any

import yaml
from kubernetes.client import Configuration
from kubernetes.config import ConfigException, load_incluster_config, load_kube_config

from presage.adapters.kube_error import Forbidden, Unavailable


def load_configuration(context: str | None, *, pool_size: int) -> Any:
    """Read how to reach the API server.

    A named context always means a kubeconfig. Without a name the service account is used where there is one, else
    the current context of the kubeconfig (`KUBECONFIG`, or the place kubectl uses).

    Args:
        context: name of a kubeconfig context, or None.
        pool_size: connections kept open at most.

    Raises:
        Unavailable: there is neither a service account nor a usable kubeconfig.
    """
    configuration = Configuration()
    configuration.connection_pool_maxsize = pool_size
    configuration.keep_alive = True
    in_pod = context is None and "KUBERNETES_SERVICE_HOST" in os.environ
    try:
        if in_pod:
            load_incluster_config(client_configuration=configuration)
        else:
            # the library reads KUBECONFIG only once, when it is imported
            place = os.environ.get("KUBECONFIG") or None
            load_kube_config(place, context=context, client_configuration=configuration, persist_config=False)
    except (ConfigException, OSError, yaml.YAMLError) as error:
        origin = "the service account" if in_pod else f"kubeconfig context {context!r}" if context else "the kubeconfig"
        raise Unavailable(f"no access to a cluster: {origin} cannot be used: {error}") from error
    return configuration


def authorization(configuration: Any) -> dict[str, str]:
    """The authorization header for one request; a service account token is read anew once a minute.

    Raises:
        Forbidden: the token cannot be read.
    """
    try:
        settings = configuration.auth_settings()
    except (ConfigException, OSError) as error:
        raise Forbidden(f"no credentials for the API server: {error}") from error
    return {entry["key"]: entry["value"] for entry in settings.values() if entry["in"] == "header" and entry["value"]}
