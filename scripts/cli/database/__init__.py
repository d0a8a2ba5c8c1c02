"""`llmctl db`: PostgreSQL."""
