"""Property tests are not timed by example: how long one takes says more about the machine than about the code."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("presage", deadline=None)
settings.load_profile("presage")
