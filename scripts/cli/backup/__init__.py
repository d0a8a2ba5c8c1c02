"""`llmctl backup`: backup sets."""
