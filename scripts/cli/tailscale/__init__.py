"""`llmctl tailscale`: what a tailnet has to know of the platform."""
