"""The table of images: a role is what it runs, what it depends on and which of our packages it carries."""

from __future__ import annotations

from dataclasses import dataclass

USER_ID = 10001
USER_NAME = "presage"
HOME = "/opt/presage"


@dataclass(frozen=True)
class Role:
    """One image.

    Attributes:
        name: `presage-<name>` is the image's name.
        requirements: Locked requirements, below `requirements/`.
        packages: Our packages below `presage/`; empty means all of them.
        entrypoint: What runs; arguments come from the pod.
    """

    name: str
    requirements: str
    packages: tuple[str, ...]
    entrypoint: tuple[str, ...]


ROLES = {
    role.name: role
    for role in (
        Role("operator", "operator.txt", (), ("python3", "-m", "presage")),
        Role("dataplane", "dataplane.txt", ("core", "dataplane"), ("python3", "-m")),
    )
}

# No writes at run time, no surprise from the environment, and one BLAS thread a process.
ENVIRONMENT = {
    "PYTHONPATH": f"{HOME}/src:{HOME}/site-packages",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "HOME": "/tmp",  # noqa: S108  # an emptyDir in the pod
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}

# The base image's Python finds no use for these.
TRIMMED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/info",
    "usr/share/perl",
    "usr/share/perl5",
    "usr/share/bash-completion",
    "usr/share/zoneinfo/right",
    "usr/share/debconf",
    "usr/lib/x86_64-linux-gnu/perl-base",
    "usr/lib/x86_64-linux-gnu/gconv",
    "usr/lib/systemd",
    "usr/lib/apt",
    "usr/lib/dpkg",
    "usr/lib/udev",
    "usr/lib/python3.13/test",
    "usr/lib/python3.13/pydoc_data",
    "usr/bin/apt",
    "usr/bin/apt-get",
    "usr/bin/apt-cache",
    "usr/bin/dpkg",
    "usr/bin/dpkg-deb",
    "usr/bin/perl",
    "usr/bin/perl5.40.1",
    "var/cache",
    "var/lib/apt",
    "var/lib/dpkg",
    "var/log",
    "etc/apt",
    "etc/dpkg",
)
