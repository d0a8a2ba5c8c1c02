"""The secrets that the platform generates, and how a secret is recognized where none may stand."""
