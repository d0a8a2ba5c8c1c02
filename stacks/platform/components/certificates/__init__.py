"""cert-manager and the Let's Encrypt issuers of the environment's certificates."""
