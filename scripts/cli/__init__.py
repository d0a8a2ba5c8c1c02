"""The operator's command line, `scripts/llmctl`."""
