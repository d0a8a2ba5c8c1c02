"""`llmctl health`: one request through the whole platform."""
