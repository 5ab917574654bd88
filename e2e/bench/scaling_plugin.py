"""The decision in the form that the scorer plugs in, with nothing of its own; runs in the scorer's environment."""

from importlib import import_module

replay_rule = import_module("presage.core.scaling.api").replay_rule
