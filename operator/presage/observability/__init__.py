"""What presage says about itself: structured logs and metrics."""
