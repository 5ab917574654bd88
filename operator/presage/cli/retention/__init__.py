"""`presage retention`: what a back end needs so that every tier has a server of its own."""
