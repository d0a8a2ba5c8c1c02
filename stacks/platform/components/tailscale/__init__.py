"""Tailscale's operator and the subnet router that it makes: a tailnet's way to the private addresses."""
