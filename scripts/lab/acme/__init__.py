"""An ACME server (Let's Encrypt's own test server) and cert-manager's controllers, as programs on this machine."""
