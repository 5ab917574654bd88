"""Build presage's container images: `python3 -m e2e.images [--role ROLE] [--load]`."""

from __future__ import annotations

import argparse
import sys

from e2e.cluster.errors import ClusterError
from e2e.images.build import ensure_image
from e2e.images.roles import ROLES

_EXAMPLES = """examples:
  python3 -m e2e.images                       build all images, print name, sizes and archive
  python3 -m e2e.images --role operator       only that one
  python3 -m e2e.images --load                also load them into the running cluster
"""


def main() -> int:
    """Build, print a table; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python3 -m e2e.images", epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--role", choices=sorted(ROLES), action="append", help="only this one; may be repeated")
    parser.add_argument("--load", action="store_true", help="load into the running cluster of shape full")
    options = parser.parse_args()
    print(f"{'IMAGE':<44} {'GZIPPED':>9} {'UNPACKED':>9}  ARCHIVE")
    try:
        for role in options.role or sorted(ROLES):
            image = ensure_image(role)
            sizes = f"{image.compressed_bytes / 1e6:>6.0f} MB {image.unpacked_bytes / 1e6:>6.0f} MB"
            print(f"{image.name:<44} {sizes}  {image.path}", flush=True)
            if options.load:
                from e2e.cluster import Cluster

                Cluster("full").load_image(image.path, image.name)
    except ClusterError as error:
        print(error.report(), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
