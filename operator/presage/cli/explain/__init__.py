"""`presage explain`: the arithmetic of an object's last decision."""
