"""The base layer: a Debian of Python, certificate authorities and the libraries they need, and nothing else.

debootstrap fetches and verifies packages; those of `PACKAGES` are unpacked without running their scripts, and what
the scripts would have made is written here. So there is no shell and no package manager in the image, and what
`/var/lib/dpkg/status.d` lists for scanners is all there is.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from e2e.cluster.errors import ClusterError
from e2e.images.cache import digest, log_file, remove_tree, run, scratch
from e2e.images.roles import USER_ID, USER_NAME

SUITE = "trixie"
PYTHON = "3.13"

# In the order they are unpacked: the first brings the links /lib and /bin that the others rely on.
PACKAGES = (
    "base-files",
    "libc6",
    "libgcc-s1",
    "libstdc++6",
    "libcrypt1",
    "zlib1g",
    "libzstd1",
    "libbz2-1.0",
    "liblzma5",
    "libexpat1",
    "libffi8",
    "libssl3t64",
    "libsqlite3-0",
    "libuuid1",
    "media-types",
    "netbase",
    "ca-certificates",
    f"libpython{PYTHON}-minimal",
    f"libpython{PYTHON}-stdlib",
    f"python{PYTHON}-minimal",
    f"python{PYTHON}",
    "python3-minimal",
)
_INCLUDED = ("python3", "ca-certificates", "media-types", "netbase")

# Glob patterns; of the documentation only the licenses stay.
_DROPPED = (
    "usr/share/doc/*/[!c]*",
    "usr/share/doc/*/changelog*",
    "usr/share/man",
    "usr/share/lintian",
    "usr/share/applications",
    "usr/share/pixmaps",
    "usr/share/bash-completion",
    "usr/share/python3",
    "usr/share/binfmts",
    "usr/lib/valgrind",
    "usr/lib/*/gconv",
    "usr/sbin/update-ca-certificates",
    f"usr/lib/python{PYTHON}/pydoc_data",
    f"usr/lib/python{PYTHON}/config-*",
    f"usr/lib/python{PYTHON}/lib-dynload/_test*",
    f"usr/lib/python{PYTHON}/lib-dynload/_ctypes_test*",
    f"usr/lib/python{PYTHON}/lib-dynload/_xxtest*",
    f"usr/lib/python{PYTHON}/lib-dynload/xx*",
    # Their libraries are not in the image.
    f"usr/lib/python{PYTHON}/lib-dynload/_curses*",
    f"usr/lib/python{PYTHON}/lib-dynload/_dbm*",
    f"usr/lib/python{PYTHON}/lib-dynload/readline*",
)

_FILES = {
    "etc/passwd": f"root:x:0:0:root:/:/usr/sbin/nologin\n{USER_NAME}:x:{USER_ID}:{USER_ID}::/tmp:/usr/sbin/nologin\n",
    "etc/group": f"root:x:0:\n{USER_NAME}:x:{USER_ID}:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
}


def base_key() -> str:
    """Return the name of the base layer."""
    return f"base-{digest(Path(__file__))}"


def make_base(root: Path) -> None:
    """Fill `root` with the base system.

    Raises:
        ClusterError: No mirror could be used, or a package is missing.
    """
    with scratch("debootstrap") as folder:
        archives = _download(folder)
        for name in PACKAGES:
            _unpack(name, archives, root)
    for pattern in _DROPPED:
        remove(root, pattern)
    for name, content in _FILES.items():
        (root / name).write_text(content)
    _bundle_authorities(root)
    (root / "usr/bin/python3").unlink(missing_ok=True)
    (root / "usr/bin/python3").symlink_to(f"python{PYTHON}")
    compile_sources(root, root / f"usr/lib/python{PYTHON}", f"/usr/lib/python{PYTHON}")


def remove(root: Path, pattern: str) -> None:
    """Remove what matches a glob pattern below `root`; nothing there is no error."""
    for path in list(root.glob(pattern)):
        remove_tree(path)  # may be gone with its folder, or through a linked one


def compile_sources(base: Path, folder: Path, seen_as: str) -> None:
    """Compile `folder` with the image's own Python: a read-only root could not, and every start would pay for it.

    The image's loader runs its Python in place, so neither root nor a mount is needed.

    Args:
        base: The unpacked base layer.
        folder: What is compiled.
        seen_as: Where `folder` is in the image; tracebacks name it.
    """
    loader = next((base / "usr/lib64").glob("ld-linux*"), None) or next((base / "usr/lib").glob("ld-linux*"))
    libraries = next((base / "usr/lib").glob("*-linux-gnu"))
    argv = [str(loader), "--library-path", str(libraries), str(base / f"usr/bin/python{PYTHON}")]
    # One worker a process here: the pool would start our host's idea of this Python, not the one of the loader.
    argv += ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    environment = {"PYTHONHOME": str(base / "usr"), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ""}
    said = subprocess.run(
        [*argv, "-s", str(folder), "-p", seen_as, str(folder)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if not next(folder.rglob("*.pyc"), None):
        log = log_file("compile")
        log.write_text(said.stdout + said.stderr)
        raise ClusterError("images", "the image's Python compiled nothing", log=log)


def _download(folder: Path) -> Path:
    """Fetch and verify all packages; return their folder."""
    bootstrap(["--download-only", "--variant=minbase", f"--include={','.join(_INCLUDED)}"], folder)
    return folder / "var/cache/apt/archives"


def bootstrap(options: Sequence[str], folder: Path, prefix: Sequence[str] = ()) -> None:
    """Run debootstrap into a folder, by the first mirror that works.

    Args:
        options: Of debootstrap.
        folder: Where to.
        prefix: What has to stand before the command, such as sudo.

    Raises:
        ClusterError: No mirror could be used, or a package is missing.
    """
    failed: ClusterError | None = None
    for mirror in _mirrors():
        argv = [*prefix, "debootstrap", *options, SUITE, str(folder), *mirror]
        try:
            run("debootstrap", argv, remedy="check network, proxy and apt's mirror")
        except ClusterError as error:
            failed = error
            continue
        return
    assert failed is not None
    raise failed


def _mirrors() -> Iterator[list[str]]:
    """Give debootstrap's own mirror, then those that apt uses on this machine."""
    yield []
    argv = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)", "Created-By: Packages"]
    listed = run("apt mirrors", argv)
    yield from ([uri] for uri in parse_mirrors(listed))


def parse_mirrors(listing: str) -> list[str]:
    """Return the distinct addresses in lines of `<origin> <address>` whose origin is Debian."""
    rows = [line.split() for line in listing.splitlines()]
    return list(dict.fromkeys(row[1] for row in rows if len(row) == 2 and row[0] == "Debian"))


def _unpack(name: str, archives: Path, root: Path) -> None:
    package = next(archives.glob(f"{name}_*.deb"), None)
    if package is None:
        raise ClusterError("base image", f"debootstrap did not fetch {name}", log=log_file("debootstrap"))
    run("dpkg-deb", ["dpkg-deb", "--extract", str(package), str(root)])
    status = root / "var/lib/dpkg/status.d"
    status.mkdir(parents=True, exist_ok=True)
    (status / name).write_text(run("dpkg-deb", ["dpkg-deb", "--field", str(package)]))


def _bundle_authorities(root: Path) -> None:
    certificates = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_text("".join(path.read_text().rstrip("\n") + "\n" for path in certificates))
    shutil.rmtree(root / "usr/share/ca-certificates")
