"""`presage simulate`: what presage would have made of a load, beside other ways to scale."""
