"""Retention tiers: what each back end needs so that every tier has a server of its own, and how that is proven."""
