"""Build presage's container images: `python3 -m e2e.images [--role ROLE] [--load] [--list]`."""

from __future__ import annotations

import argparse
import sys

from e2e.cluster.errors import ClusterError
from e2e.images.build import ImageArchive, ensure_image, find_image
from e2e.images.dockerfiles import build_dockerfile
from e2e.images.roles import ROLES

_EXAMPLES = """examples:
  python3 -m e2e.images                       build all images, print name, sizes and archive
  python3 -m e2e.images --role operator       only that one
  python3 -m e2e.images --load                also load them into the running cluster
  python3 -m e2e.images --dockerfiles         run the Dockerfiles for users once, on a stand-in of their base
  python3 -m e2e.images --list                what is built of the sources as they are now; builds nothing
"""


def main() -> int:
    """Build, print a table; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python3 -m e2e.images", epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--role", choices=sorted(ROLES), action="append", help="only this one; may be repeated")
    parser.add_argument("--load", action="store_true", help="load into the running cluster of shape full")
    parser.add_argument("--list", action="store_true", help="build nothing, say what is there")
    parser.add_argument("--dockerfiles", action="store_true", help="build the Dockerfiles instead, on a stand-in base")
    options = parser.parse_args()
    try:
        return _build_dockerfiles(options.role) if options.dockerfiles else _build_images(options)
    except ClusterError as error:
        print(error.report(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; what is finished is kept", file=sys.stderr)
        return 130


def _build_dockerfiles(roles: list[str] | None) -> int:
    for role in roles or sorted(ROLES):
        print(build_dockerfile(ROLES[role]), flush=True)
    return 0


def _build_images(options: argparse.Namespace) -> int:
    print(f"{'IMAGE':<44} {'GZIPPED':>9} {'UNPACKED':>9}  ARCHIVE", flush=True)
    for role in options.role or sorted(ROLES):
        image = find_image(ROLES[role]) if options.list else ensure_image(role)
        print(render(role, image), flush=True)
        if image and options.load and not options.list:
            from e2e.cluster import Cluster

            Cluster("full").load_image(image.path, image.name)
    return 0


def render(role: str, image: ImageArchive | None) -> str:
    """Return the table's line of a role's image; None is one that is not built."""
    if image is None:
        return f"{f'localhost/presage-{role}':<44} not built"
    sizes = f"{image.compressed_bytes / 1e6:>6.0f} MB {image.unpacked_bytes / 1e6:>6.0f} MB"
    return f"{image.name:<44} {sizes}  {image.path}"


if __name__ == "__main__":
    sys.exit(main())
