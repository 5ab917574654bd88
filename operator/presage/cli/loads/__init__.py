"""The load that a command works on: its arguments, how it is read, what is told meanwhile."""
