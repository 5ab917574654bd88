"""What stands on the base layer: locked dependencies, and on them our own code."""

from __future__ import annotations

import platform
import shutil
import sys
import tomllib
from pathlib import Path

from e2e.cluster.debian import ensure_debian
from e2e.images.base import PYTHON, base_key, compile_sources, remove
from e2e.images.cache import REPOSITORY, cache_folder, digest, run
from e2e.images.roles import ENVIRONMENT, HOME, Role

_OURS = (".py", ".typed", ".json", ".html")
_GLIBC = "2_28"  # the oldest whose wheels all dependencies have
_BOOTSTRAP = REPOSITORY / "requirements" / "bootstrap.txt"

# Nobody imports these at run time. Glob patterns below site-packages.
_DROPPED = ("bin", "**/tests", "**/*.pyi", "**/*.pyx", "**/*.pxd", "**/*.pxi", "**/*.[chfa]", "**/*.f90", "**/*.cpp")


def packages_key(role: Role) -> str:
    """Return the name of the dependencies' layer."""
    parts = (base_key(), Path(__file__), REPOSITORY / "requirements" / role.requirements, repr(role.unused))
    return f"packages-{role.name}-{digest(*parts)}"


def code_key(role: Role) -> str:
    """Return the image's tag: the hash of all its layers and of its configuration."""
    files = [part for path in sources(role) for part in (str(path.relative_to(REPOSITORY)), path)]
    return digest(packages_key(role), repr(role), repr(ENVIRONMENT), *files, read_version())[:12]


def sources(role: Role) -> list[Path]:
    """Return our files that the role carries, sorted."""
    root = REPOSITORY / "operator" / "presage"
    folders = [root / name for name in role.packages] if role.packages else [root]
    found = [path for folder in folders for path in folder.rglob("*") if path.suffix in _OURS]
    return sorted({*found, *root.glob("*.py"), *root.glob("py.typed")})


def make_packages(role: Role, base: Path, root: Path) -> None:
    """Fill `root` with the role's locked dependencies, resolved on this machine for the image's Python.

    Args:
        role: Whose dependencies.
        base: The unpacked base layer.
        root: An empty folder that becomes the layer.
    """
    target = root / HOME.lstrip("/") / "site-packages"
    target.mkdir(parents=True)
    wheels = f"{platform.machine()}-manylinux_{_GLIBC}"
    argv = [str(_find_uv()), "pip", "install", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    argv += ["--link-mode", "copy", "--python", sys.executable]  # a link would share what is removed below
    argv += ["--python-version", PYTHON, "--python-platform", wheels, "--target", str(target)]
    argv += ["-r", str(REPOSITORY / "requirements" / role.requirements)]
    run(f"{role.name} dependencies", argv, remedy="check network and package index; a wrong hash asks for `make lock`")
    for pattern in (*_DROPPED, *role.unused):
        remove(target, pattern)
    compile_sources(base, target, f"{HOME}/site-packages")


def make_code(role: Role, base: Path, root: Path) -> None:
    """Fill `root` with our own packages, compiled, and the metadata that tells their version."""
    target = root / HOME.lstrip("/") / "src"
    for path in sources(role):
        copy = target / path.relative_to(REPOSITORY / "operator")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    version = read_version()
    info = target / f"presage-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: presage\nVersion: {version}\n")
    compile_sources(base, target, f"{HOME}/src")


def read_version() -> str:
    """Return the project's version."""
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def _find_uv() -> Path:
    """Return the uv of the virtual environment, or the same pinned one in a small environment of its own."""
    for folder in (Path(sys.executable).parent, REPOSITORY / ".venv" / "bin"):
        if (folder / "uv").is_file():
            return folder / "uv"
    venv = cache_folder() / f"uv-{digest(_BOOTSTRAP)}"
    if not (venv / "bin" / "uv").is_file():
        ensure_debian(["python3-venv"])
        run("uv", [sys.executable, "-m", "venv", "--clear", str(venv)], remedy="make venv")
        argv = [str(venv / "bin" / "pip"), "install", "-q", "--require-hashes", "-r", str(_BOOTSTRAP)]
        run("uv", argv, remedy="make venv")
    return venv / "bin" / "uv"
