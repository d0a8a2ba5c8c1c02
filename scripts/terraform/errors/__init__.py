"""Terraform's errors: cut out of its output, with a suggested fix where one is known."""
