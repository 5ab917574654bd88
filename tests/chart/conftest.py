"""What the chart's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.cluster import ensure_binary


@pytest.fixture(scope="session")
def helm() -> Path:
    return Path(ensure_binary("helm"))
