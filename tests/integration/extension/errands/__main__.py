"""The operator of the product, with the new kind among its kinds."""

from __future__ import annotations

import sys

from presage.handlers.process import run_operator
from tests.integration.extension.errands.kinds import KINDS

if __name__ == "__main__":
    sys.exit(run_operator(KINDS))
