"""presage: a Kubernetes operator that acts before the load does."""
