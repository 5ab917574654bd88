"""Names of layers: the same content gives the same name, any change another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e.images import content
from e2e.images.cache import REPOSITORY, digest
from e2e.images.roles import ROLES, Role

ROLE = ROLES["dataplane"]


def carried(role: Role) -> set[str]:
    return {path.relative_to(REPOSITORY / "operator" / "presage").parts[0] for path in content.sources(role)}


def test_a_role_carries_only_its_packages() -> None:
    assert {"core", "dataplane", "__init__.py", "py.typed"} <= carried(ROLE)
    assert not carried(ROLE) & {"adapters", "handlers", "reconcile", "runtime", "resources"}


def test_the_operator_carries_all() -> None:
    assert {"core", "resources", "reconcile", "adapters", "runtime", "handlers", "__main__.py"} <= carried(
        ROLES["operator"]
    )


def test_no_compiled_file_is_a_source() -> None:
    assert not [path for path in content.sources(ROLES["operator"]) if "__pycache__" in path.parts]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"entrypoint": ("python3",)}, id="entrypoint"),
        pytest.param({"packages": ("core",)}, id="packages"),
        pytest.param({"requirements": "operator.txt"}, id="dependencies"),
        pytest.param({"unused": ("numpy/f2py",)}, id="what is left out"),
    ],
)
def test_any_change_of_a_role_is_another_image(change: dict[str, Any]) -> None:
    other: Role = replace(ROLE, **change)
    assert content.code_key(ROLE) == content.code_key(replace(ROLE))
    assert content.code_key(ROLE) != content.code_key(other)


def test_a_change_of_our_code_keeps_the_dependencies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tmp_path / "operator" / "presage"
    (tree / "core").mkdir(parents=True)
    (tree / "dataplane").mkdir()
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / ROLE.requirements).write_text("numpy==2\n")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1"\n')
    monkeypatch.setattr(content, "REPOSITORY", tmp_path)
    (tree / "core" / "a.py").write_text("x = 1\n")
    before = content.packages_key(ROLE), content.code_key(ROLE)
    (tree / "core" / "a.py").write_text("x = 2\n")
    after = content.packages_key(ROLE), content.code_key(ROLE)
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_the_digest_keeps_parts_apart(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("ab")
    assert digest("a", "b") != digest("ab")
    assert digest(file) == digest("ab") == digest(b"ab")
