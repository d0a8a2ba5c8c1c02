"""`llmctl images`: container images."""
