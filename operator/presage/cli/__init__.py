"""The command-line tool, also `kubectl presage`. Tables go to stdout, progress and errors to stderr."""
