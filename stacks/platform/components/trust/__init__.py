"""trust-manager, which keeps the roots that pods believe in ConfigMaps, the internal CA's among them."""
