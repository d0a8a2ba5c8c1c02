"""`llmctl secrets`: where each secret lies, who reads it, its rotation, and those that people write."""
