"""Which metrics a function records: profiles, their choice, and the document by which functions learn it."""
