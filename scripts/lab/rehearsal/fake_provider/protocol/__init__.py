"""Terraform's plugin protocol: processes, messages, values as they travel."""
