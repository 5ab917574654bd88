"""Servers of ours that run beside functions; they need neither kopf nor the operator's packages."""
