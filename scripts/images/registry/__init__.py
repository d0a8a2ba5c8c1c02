"""A client for registries that speak the OCI distribution protocol (opencontainers/distribution-spec 1.1)."""
