"""Pure functions over frozen dataclasses and numpy arrays: no Kubernetes, no I/O, no clock."""
