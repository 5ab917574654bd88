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
        unused: Parts of dependencies the role never imports, as glob patterns below site-packages.
        checked: Modules that must be importable in the finished image, without writing anything.
        limit_bytes: Largest size of all layers gzipped.
    """

    name: str
    requirements: str
    packages: tuple[str, ...]
    entrypoint: tuple[str, ...]
    unused: tuple[str, ...] = ()
    checked: tuple[str, ...] = ()
    limit_bytes: int = 200_000_000


ROLES = {
    role.name: role
    for role in (
        Role(
            name="operator",
            requirements="operator.txt",
            packages=(),
            entrypoint=("python3", "-m", "presage"),
            unused=("kubernetes/aio", "statsmodels/datasets/*/*.csv"),
            checked=(
                "presage.__main__",
                "presage.handlers.process",
                "presage.core.forecast",
                "statsmodels.api",
                "statsmodels.tsa.api",
                "scipy.optimize",
                "zoneinfo",
            ),
        ),
        Role(
            name="dataplane",
            requirements="dataplane.txt",
            packages=("core", "dataplane", "sdk"),
            entrypoint=("python3", "-m"),
            checked=("presage.dataplane.demo.function", "presage.dataplane.demo.loadgen", "presage.sdk", "numpy"),
            limit_bytes=90_000_000,
        ),
    )
}

# No writes at run time, no surprise from the environment, and one BLAS thread a process.
ENVIRONMENT = {
    "PATH": "/usr/bin",
    "PYTHONPATH": f"{HOME}/src:{HOME}/site-packages",
    "PYTHONSAFEPATH": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "LANG": "C.UTF-8",
    "HOME": "/tmp",  # noqa: S108  # an emptyDir in the pod
    "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
