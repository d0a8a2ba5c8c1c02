"""`llmctl env`: environment files."""
