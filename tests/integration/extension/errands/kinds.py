"""All kinds, as in `presage.runtime.kinds`; the new kind costs the one line."""

from __future__ import annotations

from presage.reconcile.kind import AnyKind
from presage.runtime.kinds import KINDS as PRODUCT
from tests.integration.extension.errands.reconcile import errand

KINDS: tuple[AnyKind, ...] = (
    *PRODUCT,
    errand.DEFINITION,
)
