"""What every kind shares: queue, scheduler, workers, Lease and the HTTP server."""
