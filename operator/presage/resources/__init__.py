"""Custom resources: what users may write, checked at the edge and turned into plain data for the core."""
