"""Tests of presage."""
