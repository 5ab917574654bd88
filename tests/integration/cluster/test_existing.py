"""The demo on a cluster that is not its own: it is reached by a listed context, and what others installed stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from e2e.cluster import Cluster
from e2e.demo.errors import DemoError
from e2e.demo.ground import Ground, find_ground
from e2e.demo.stage import Stage
from tests.integration.tools import Kubectl

ROOT = Path(__file__).parents[3]


@pytest.fixture
def ground(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """The control cluster as a user would have it: another context's name, beside one that must not be used."""
    document = json.loads(cluster.kubeconfig.read_text())
    entry = document["contexts"][0]["context"]
    document["contexts"] = [{"name": name, "context": entry} for name in ("lab", "production")]
    document["current-context"] = "production"
    (tmp_path / "config").write_text(json.dumps(document))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return find_ground("existing", {"PRESAGE_ALLOWED_CONTEXTS": "lab", "PRESAGE_LOAD_IMAGE": "false"})


def test_it_is_reached_by_the_listed_context(ground: Ground) -> None:
    assert ground.kubectl.run("config", "current-context").strip() == "production"
    assert ground.kubectl.run("config", "view", "--minify", "-o", "jsonpath={.contexts[*].name}") == "lab"
    ground.ensure_up()


def test_a_presage_that_somebody_installed_stays(ground: Ground, crds: None, kubectl: Kubectl) -> None:
    with pytest.raises(DemoError, match="the demo would remove its kinds"):
        Stage(ROOT, ground).clear()
    assert "metricprofiles.presage.dev" in ground.kubectl.run("get", "crd", "-o", "name")


def test_a_namespace_of_somebody_stays(ground: Ground) -> None:
    ground.kubectl.run("create", "namespace", "presage-demo")
    try:
        with pytest.raises(DemoError, match="not the demo's"):
            Stage(ROOT, ground).clear()
        assert ground.kubectl.run("get", "namespace", "presage-demo", "-o", "name").strip()
    finally:
        ground.kubectl.run("delete", "namespace", "presage-demo", "--wait=false")
