"""`llmctl opik`: tracing and evaluation."""
