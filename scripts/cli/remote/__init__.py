"""`llmctl remote`: HCP Terraform."""
