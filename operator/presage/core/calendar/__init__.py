"""The calendar of a profile: what the user knows of days to come that no history shows."""
