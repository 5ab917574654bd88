"""Faults on the real cluster: a load that is known by the second, what is broken, and what is written down."""
