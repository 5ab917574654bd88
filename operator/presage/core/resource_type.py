"""Names by which the API server knows a type of object."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResourceType:
    """Group, version and plural of a type; the core group is the empty string."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """Group and version as an object carries them."""
        return f"{self.group}/{self.version}" if self.group else self.version
