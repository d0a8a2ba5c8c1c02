"""Terraform on the stacks of one environment: planned, applied, explained."""
