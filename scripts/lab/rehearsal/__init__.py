"""Fake Terraform providers: the real Terraform, run against a fake Azure, Entra, Kubernetes and Helm.

``mirror.prepare`` sets a folder up; ``docs/explanation/rehearsal.md`` says what a rehearsal proves.
"""
