"""What the rules of the fake providers are for: by subject, what each refuses and what it lets through."""

from . import cluster, data, network

__all__ = ["cluster", "data", "network"]
