"""The Dockerfiles for users say what the images of `make images` hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from e2e.images import content
from e2e.images.base import PYTHON
from e2e.images.cache import REPOSITORY
from e2e.images.dockerfiles import Recipe, dockerfile, parse_dockerfile
from e2e.images.roles import ENVIRONMENT, HOME, ROLES, USER_ID, USER_NAME, Role


@pytest.fixture(params=ROLES.values(), ids=ROLES)
def role(request: pytest.FixtureRequest) -> Role:
    found: Role = request.param
    return found


@pytest.fixture
def recipe(role: Role) -> Recipe:
    return parse_dockerfile(dockerfile(role).read_text(encoding="utf-8"))


def files(pattern: str) -> set[Path]:
    """Return what a source of COPY brings in, without what .dockerignore leaves out."""
    found = {each for path in REPOSITORY.glob(pattern) for each in (path.rglob("*") if path.is_dir() else [path])}
    return {path for path in found if path.is_file() and path.suffix != ".pyc"}


def test_configuration_is_the_same(role: Role, recipe: Recipe) -> None:
    assert recipe.user == f"{USER_ID}:{USER_ID}"
    assert f"{USER_NAME}:x:{USER_ID}:{USER_ID}::/tmp:/usr/sbin/nologin" in recipe.run
    assert recipe.folder == HOME
    assert recipe.entrypoint == role.entrypoint
    # Python is elsewhere in the public base.
    assert {**recipe.environment, "PATH": ENVIRONMENT["PATH"]} == ENVIRONMENT
    assert recipe.environment["PATH"].split(":")[0] == "/usr/local/bin"


def test_the_base_is_pinned_and_has_the_same_python(recipe: Recipe) -> None:
    assert re.fullmatch(rf"python:{re.escape(PYTHON)}\.\d+-slim-[a-z]+", recipe.base)


def test_packages_come_from_the_same_lock_file(role: Role, recipe: Recipe) -> None:
    assert f"requirements/{role.requirements}" in recipe.copied
    assert f"--target {HOME}/site-packages -r {role.requirements}" in recipe.run
    installs = [line for line in recipe.run.splitlines() if "pip install" in line]
    assert len(installs) == 2
    assert all("--require-hashes" in line for line in installs)
    assert all(pattern in recipe.run for pattern in role.unused)


def test_the_same_files_are_copied(role: Role, recipe: Recipe) -> None:
    ours = {path for source in recipe.copied if source.startswith("operator/") for path in files(source)}
    assert ours == set(content.sources(role))


def test_no_other_file_reaches_the_builder(recipe: Recipe) -> None:
    lines = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    let_in = [line[1:] for line in lines if line.startswith("!")]
    assert let_in == ["operator/presage", "requirements/*.txt", "pyproject.toml"]
    assert all(any(source.startswith(each.partition("*")[0]) for each in let_in) for source in recipe.copied)


def test_stages_lines_and_comments_are_told_apart() -> None:
    text = """# a comment
ARG BASE=python:3.13.1-slim-x
FROM ${BASE} AS first
ENV A=1
COPY a b/ /to/
RUN one && \\
# inside
    two
FROM ${BASE}
COPY --from=first /x /x
ENV B=2 \\
    C="3 4"
USER 1:1
WORKDIR /w
ENTRYPOINT ["x", "y"]
"""
    assert parse_dockerfile(text) == Recipe(
        "python:3.13.1-slim-x", ("a", "b/"), "one &&     two", {"B": "2", "C": "3 4"}, "1:1", "/w", ("x", "y")
    )
