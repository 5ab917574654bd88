"""By what new pods are given the reference to their document."""

from __future__ import annotations

from typing import Literal

Mechanism = Literal["Policy", "Webhook", "None", "Unknown"]
"""The static admission policy, presage's own webhook, neither, or not proven yet."""
