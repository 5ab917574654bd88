"""A function with a stated capacity and the load generator that calls it, both over real HTTP."""
