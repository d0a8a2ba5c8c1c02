"""trust-manager, as a program on this machine."""
