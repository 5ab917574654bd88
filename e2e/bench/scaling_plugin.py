"""The decision in the form that the scorer plugs in, with nothing of its own; runs in the scorer's environment."""

from presage.core.scaling.api import replay_rule

__all__ = ["replay_rule"]
