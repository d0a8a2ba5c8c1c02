"""`llmctl models`: the served models."""
