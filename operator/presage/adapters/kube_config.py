"""How the API server is reached: service account in a pod, else a kubeconfig; and what a refused certificate means.

The kubernetes client library reads both forms and refreshes tokens; nothing here keeps a credential.
"""

from __future__ import annotations

import os
import ssl
import sys
from typing import Any

import yaml
from kubernetes.client import Configuration
from kubernetes.config import ConfigException, load_incluster_config, load_kube_config

from presage.adapters.kube_error import Forbidden, Unavailable

_STRICT_FAULTS = (
    "authority key identifier",
    "subject key identifier",
    "key usage",
    "basic constraints",
    "pathlen",
    "empty issuer",
    "empty subject",
    "empty san",
)


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


def relaxed_ssl_context() -> ssl.SSLContext:
    """A context that verifies chain and host name, but not the formal rules Python 3.13 added (RFC 5280 extensions)."""
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def explain_tls(error: BaseException) -> str | None:
    """Say in plain words why a certificate was refused; None if no certificate was.

    Since Python 3.13 certificates are verified strictly (`ssl.VERIFY_X509_STRICT`), so that certificates which kubectl
    accepts are refused. The message names that cause and the remedy.
    """
    refused = _certificate_error(error)
    if refused is None:
        return None
    fault = refused.verify_message or str(refused)
    if not any(part in fault.lower() for part in _STRICT_FAULTS):
        return f"the API server's certificate is not trusted: {fault}"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return (
        f"the API server's certificate is refused: {fault}. Python 3.13 and later (here {version}) verify certificates "
        "strictly, kubectl does not. Remedy: issue the cluster's CA with basicConstraints and keyUsage marked critical "
        "and a subject key identifier, and the server's certificate with an authority key identifier; until then, "
        "PRESAGE_STRICT_CERTIFICATES=false verifies as kubectl does"
    )


def _certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """Find the verification error inside the errors that wrap it."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        current = waiting.pop()
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        if isinstance(current, ssl.SSLCertVerificationError):
            return current
        seen.add(id(current))
        waiting += [*current.args, current.__cause__, current.__context__, getattr(current, "reason", None)]
    return None
