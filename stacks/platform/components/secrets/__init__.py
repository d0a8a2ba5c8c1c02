"""External Secrets, and everything that it copies out of the vault."""
