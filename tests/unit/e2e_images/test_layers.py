"""Keys of image layers: the same content gives the same name, any change another."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.images import layers
from e2e.images.roles import ROLES, Role


def test_a_role_carries_only_its_packages() -> None:
    carried = {
        path.relative_to(layers.REPOSITORY / "operator" / "presage").parts[0]
        for path in layers.sources(ROLES["dataplane"])
    }
    assert {"core", "dataplane", "__init__.py"} <= carried
    assert not carried & {"adapters", "handlers", "reconcile", "runtime", "resources"}


def test_the_operator_carries_all() -> None:
    assert any("handlers" in path.parts for path in layers.sources(ROLES["operator"]))


def test_the_digest_keeps_parts_apart(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("ab")
    assert layers.digest("a", "b") != layers.digest("ab")
    assert layers.digest(file) == layers.digest("ab") == layers.digest(b"ab")


def test_a_change_of_the_entrypoint_is_another_image() -> None:
    role = ROLES["dataplane"]
    other = Role(role.name, role.requirements, role.packages, ("python3",))
    assert layers.code_key(role) != layers.code_key(other)


def test_a_half_made_folder_is_never_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        layers.ensure_folder("base-x", "base", fail)
    made = layers.ensure_folder("base-x", "base", lambda folder: (folder / "whole").touch())
    assert [path.name for path in made.iterdir()] == ["whole"]
