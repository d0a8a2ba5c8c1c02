"""`llmctl state`: where Terraform keeps its state."""
