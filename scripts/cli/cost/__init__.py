"""`llmctl cost`: what an environment costs a month."""
