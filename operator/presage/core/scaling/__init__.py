"""From forecast to replicas: pure decisions over plain data."""
