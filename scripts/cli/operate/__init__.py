"""`llmctl logs`, `follow`, `events`, `restart`, `stop`, `start`, `scale` and `shell`, of any component."""
