"""Tools and tests that run presage on a real Kubernetes."""
