"""Clients of the outside world: the Kubernetes API, Prometheus, worker processes, the clock."""
