"""Terraform states: where they are kept, moved, locked, and cut off by a killed run."""
