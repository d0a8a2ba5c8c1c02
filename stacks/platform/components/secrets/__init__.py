"""External Secrets."""
