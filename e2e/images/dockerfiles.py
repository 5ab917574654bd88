"""The Dockerfiles for users on other machines: read, and built once on a stand-in of their public base.

Where there is no registry, a Debian with the same Python takes the base's place, so that every step really runs.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster import progress
from e2e.cluster.debian import ensure_debian
from e2e.images import store
from e2e.images.base import SUITE, bootstrap
from e2e.images.build import DEBIAN, check, locked
from e2e.images.cache import REPOSITORY, as_root, digest, scratch
from e2e.images.roles import Role

_INCLUDED = ("python3", "python3-venv", "ca-certificates")


@dataclass(frozen=True)
class Recipe:
    """What a Dockerfile says.

    Attributes:
        base: The public image it stands on.
        copied: Sources of its COPY lines, relative to the repository.
        run: All its RUN lines.
        environment: Of the image.
        user: Of the image, as `uid:gid`.
        folder: Working directory of the image.
        entrypoint: Of the image.
    """

    base: str
    copied: tuple[str, ...]
    run: str
    environment: Mapping[str, str]
    user: str
    folder: str
    entrypoint: tuple[str, ...]


def dockerfile(role: Role) -> Path:
    """Return the Dockerfile of a role."""
    return REPOSITORY / "operator" / f"{role.name}.Dockerfile"


def parse_dockerfile(text: str) -> Recipe:
    """Return what a Dockerfile of ours says; what configures the image is taken from its last stage."""
    found: dict[str, str] = {}
    copied: list[str] = []
    ran: list[str] = []
    environment: dict[str, str] = {}
    for word, rest in _instructions(text):
        if word == "FROM":
            environment = {}
        elif word == "COPY" and not rest.startswith("--from"):
            copied += rest.split()[:-1]
        elif word == "RUN":
            ran.append(rest)
        elif word == "ENV":
            environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))
        if word == "ARG" and "=" in rest:
            word, rest = rest.split("=", 1)
        found[word] = rest
    return Recipe(
        base=found["BASE"],
        copied=tuple(copied),
        run="\n".join(ran),
        environment=environment,
        user=found["USER"],
        folder=found["WORKDIR"],
        entrypoint=tuple(json.loads(found["ENTRYPOINT"])),
    )


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for line in re.sub(r"\\\n", "", lines).splitlines():
        if line.strip():
            word, _, rest = line.partition(" ")
            yield word, rest.strip()


def build_dockerfile(role: Role) -> str:
    """Build a role's Dockerfile on the stand-in, check the image as its user, and return its name.

    Raises:
        ClusterError: A step failed; its log says why.
    """
    ensure_debian(DEBIAN)
    name = f"presage-{role.name}:dockerfile"
    with locked():
        base = _ensure_stand_in()
        with progress.part(f"{role.name} Dockerfile", "building", "built"):
            store.build(dockerfile(role), REPOSITORY, name, base)
            with store.container(name) as container:
                check(role, container)
    return f"localhost/{name}"


def _ensure_stand_in() -> str:
    """Return the name of an image that offers what the Dockerfiles expect of their base: a shell, Python and venv."""
    name = f"stand-in-{digest(SUITE, repr(_INCLUDED))}"
    if not store.has_image(name):
        with progress.part("stand-in of the public base", "building", "built"), scratch("stand-in") as root:
            bootstrap(["--variant=minbase", f"--include={','.join(_INCLUDED)}"], root, as_root())
            with store.container("scratch") as container:
                store.add(container, root)
                store.commit(container, f"localhost/{name}")
    return name
