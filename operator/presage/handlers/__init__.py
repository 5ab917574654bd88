"""Thin kopf adapters: they put keys into the queue and know nothing else."""
