"""`llmctl off-hours`: the cluster stopped while nobody works."""
