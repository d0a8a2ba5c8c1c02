"""Opik, tracing and evaluation: its disks and claims, secrets, chart values, the login before it, and its traffic."""
