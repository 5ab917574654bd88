"""`presage forecast`: what is expected of a load, of a live object or of one's own data."""
