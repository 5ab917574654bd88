"""Pictures, pages and tables of the commands that work on a load."""
