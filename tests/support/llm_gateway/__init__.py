"""Fake servers and helpers of the tests: llm gateway."""
