"""The CRDs of this checkout, put into a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from kubernetes import client

from e2e.waiting import eventually

CRDS = Path(__file__).resolve().parents[1] / "crds"


def install_crds(api: client.ApiClient) -> None:
    """Create or update all of them, and wait until they are served."""
    definitions = client.ApiextensionsV1Api(api)
    for path in sorted(CRDS.glob("*.yaml")):
        install_crd(definitions, yaml.safe_load(path.read_text(encoding="utf-8")))


def install_crd(definitions: client.ApiextensionsV1Api, wanted: dict[str, Any]) -> None:
    """Create one, or bring it in line, and wait until it is served."""
    name = wanted["metadata"]["name"]
    try:
        definitions.create_custom_resource_definition(wanted)
    except client.ApiException as refused:
        if refused.status != 409:
            raise
        change = [{"op": "replace", "path": "/spec", "value": wanted["spec"]}]
        definitions.patch_custom_resource_definition(name, change)

    def is_served() -> bool:
        conditions = definitions.read_custom_resource_definition(name).status.conditions or ()
        return any(each.type == "Established" and each.status == "True" for each in conditions)

    eventually(is_served, bool, 30, f"CRD {name} is established")
