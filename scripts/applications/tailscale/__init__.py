"""Tailscale's API, as far as the platform needs it: which nameserver a tailnet asks for the private zone."""
