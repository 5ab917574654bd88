"""Is an installation sound? Facts gathered from a cluster in, findings with remedies out; all of it pure."""
