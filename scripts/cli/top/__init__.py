"""`llmctl top`: the platform at work, live."""
