"""Every container image of the platform in the environment's own registry: built, imported, locked by digest."""
