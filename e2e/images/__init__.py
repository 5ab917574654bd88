"""Container images of presage, built without a container daemon or a registry."""

from e2e.images.build import ImageArchive, ensure_image
from e2e.images.roles import ROLES

__all__ = ["ROLES", "ImageArchive", "ensure_image"]
