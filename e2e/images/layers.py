"""What goes into an image, as folders: base system, locked dependencies, our own code.

Each folder is cached under a name made from all it is made of, and appears by rename, so that a half-made one is
never used.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from e2e.cluster import progress
from e2e.cluster.errors import ClusterError
from e2e.images.roles import ENVIRONMENT, HOME, TRIMMED, USER_ID, USER_NAME, Role

REPOSITORY = Path(__file__).resolve().parents[2]
SUITE = "trixie"
PYTHON_VERSION = "3.13"
PLATFORM = "x86_64-manylinux_2_28"
_KEPT = 2
_RECIPE = Path(__file__)


def cache_folder() -> Path:
    """Return the folder of everything cached for images."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "presage", "images")


def digest(*parts: bytes | str | Path) -> str:
    """Return a short hash of texts and of the contents of files."""
    hashed = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part.encode() if isinstance(part, str) else part
        hashed.update(len(content).to_bytes(8, "big") + content)
    return hashed.hexdigest()[:16]


def sources(role: Role) -> list[Path]:
    """Return our files that the role carries, sorted."""
    root = REPOSITORY / "operator" / "presage"
    folders = [root / name for name in role.packages] if role.packages else [root]
    found = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".typed", ".json")]
    return sorted({*found, *root.glob("*.py"), *root.glob("py.typed")})


def base_key() -> str:
    """Name of the base layer."""
    return f"base-{digest(SUITE, repr(TRIMMED), _RECIPE, repr(ENVIRONMENT))}"


def packages_key(role: Role) -> str:
    """Name of the dependencies' layer; two roles with the same dependencies share it."""
    return f"packages-{digest(base_key(), _requirements(role))}"


def code_key(role: Role) -> str:
    """Name of the code layer, and with the others the image's tag."""
    files = [part for path in sources(role) for part in (str(path.relative_to(REPOSITORY)), path)]
    return f"code-{digest(packages_key(role), repr(role), *files, REPOSITORY / 'pyproject.toml')}"


def _requirements(role: Role) -> Path:
    return REPOSITORY / "requirements" / role.requirements


def ensure_folder(key: str, label: str, make: Callable[[Path], None]) -> Path:
    """Return the cached folder `key`, made by `make` if it is not there; older ones of its kind are removed."""
    cache = cache_folder()
    folder = cache / key
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    work = cache / f".{key}.{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    with progress.part(label, "building", "built"):
        try:
            make(work)
            work.rename(folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    kind = key.rsplit("-", 1)[0]
    entries = sorted(cache.glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in entries[_KEPT * 2 :]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def make_base(folder: Path) -> None:
    """Fill `folder` with a Debian that has Python and certificate authorities, and little else."""
    include = "--include=python3,ca-certificates"
    run("base image", ["debootstrap", "--variant=minbase", include, SUITE, str(folder)], log=folder.parent / "base.log")
    for name in TRIMMED:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for name in ("var/cache", "var/lib/dpkg", "var/log"):
        (folder / name).mkdir(parents=True)
    with (folder / "etc/passwd").open("a") as passwd:
        passwd.write(f"{USER_NAME}:x:{USER_ID}:{USER_ID}::/tmp:/usr/sbin/nologin\n")
    with (folder / "etc/group").open("a") as group:
        group.write(f"{USER_NAME}:x:{USER_ID}:\n")


def make_packages(role: Role, base: Path, folder: Path) -> None:
    """Fill `folder` with the role's locked dependencies, resolved on this machine for the image's Python."""
    target = folder / HOME.lstrip("/") / "site-packages"
    target.mkdir(parents=True)
    argv = [*_find_uv(), "pip", "install", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    argv += ["--link-mode", "copy"]  # a hard link would share what is changed below with the cache
    argv += ["--python-version", PYTHON_VERSION, "--python-platform", PLATFORM, "--target", str(target)]
    run("dependencies", [*argv, "-r", str(_requirements(role))])
    for tests in [p for name in ("tests", "test") for p in target.rglob(name) if p.is_dir()]:
        shutil.rmtree(tests, ignore_errors=True)
    for leftover in (*target.rglob("*.pyi"), *target.rglob("*.pyx"), *target.rglob("*.pxd"), *target.rglob("*.a")):
        leftover.unlink()
    shutil.rmtree(target / "bin", ignore_errors=True)
    compile_sources(base, target, f"{HOME}/site-packages")


def make_code(role: Role, base: Path, folder: Path) -> None:
    """Fill `folder` with our own packages, compiled, and the metadata that tells their version."""
    root = folder / HOME.lstrip("/") / "src"
    for path in sources(role):
        target = root / path.relative_to(REPOSITORY / "operator")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    version = read_version()
    info = root / f"presage-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: presage\nVersion: {version}\n")
    compile_sources(base, root, f"{HOME}/src")


def read_version() -> str:
    """Return the project's version."""
    import tomllib

    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def compile_sources(base: Path, folder: Path, seen_as: str) -> None:
    """Compile with the image's own Python: a read-only root could not, and every start would pay for it."""
    inside = base / "mnt" / folder.parent.parent.parent.name
    inside.parent.mkdir(exist_ok=True)
    inside.mkdir(exist_ok=True)
    run("compile", ["mount", "--bind", str(folder), str(inside)])
    try:
        where = f"/mnt/{inside.name}"
        argv = ["python3", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
        argv += ["-s", where, "-p", seen_as, where]
        # A dependency may ship templates that are no Python; those stay as they are.
        subprocess.run(["chroot", str(base), *argv], check=False, capture_output=True)
    finally:
        run("compile", ["umount", str(inside)])
        inside.rmdir()


def _find_uv() -> Sequence[str]:
    beside = REPOSITORY / ".venv" / "bin" / "uv"
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise ClusterError("images", "uv is not here", remedy="make venv")
    return [found]


def run(part: str, argv: Sequence[str], *, log: Path | None = None, environment: dict[str, str] | None = None) -> str:
    """Run a command and return what it printed.

    Raises:
        ClusterError: If it fails; with the end of what it said.
    """
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    if log is not None:
        log.write_text(done.stdout + done.stderr)
    if done.returncode != 0:
        said = " / ".join((done.stderr or done.stdout).strip().splitlines()[-3:])[:500]
        raise ClusterError(part, f"{argv[0]} failed: {said}", log=log, remedy="run by hand: " + " ".join(argv))
    return done.stdout
