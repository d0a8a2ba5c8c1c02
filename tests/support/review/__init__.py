"""Fake servers and helpers of the tests: review."""
