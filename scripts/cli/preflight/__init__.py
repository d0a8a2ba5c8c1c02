"""`llmctl preflight`: what would stop a deployment, before anything is created."""
