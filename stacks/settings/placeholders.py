"""Values that stand in an environment file until somebody writes the real ones."""

from collections.abc import Iterator

from .environment import Settings
from .rules.base import Finding

_ZEROS = "00000000-0000-0000-0000-000000000000"
_RESERVED_DOMAINS = ("example.com", "example.org", "example.net", "example", "test", "invalid", "localhost")
"""Domains that nobody can own (RFC 2606)."""


def placeholders(settings: Settings) -> Iterator[Finding]:
    """Yield what has to be replaced before Azure or Let's Encrypt takes it; a rehearsal needs none of it."""
    if settings.azure.subscription_id == _ZEROS:
        yield Finding(("azure", "subscription_id"), "is a placeholder; write yours: az account show --query id")
    if _reserved(settings.domain):
        yield Finding(("domain",), "is a placeholder; write a domain of your own")
    if _reserved(settings.ingress.acme_email.rsplit("@", 1)[1]):
        yield Finding(("ingress", "acme_email"), "is a placeholder; Let's Encrypt refuses it")
    if _ZEROS in (settings.cluster.disk_encryption_set_id or ""):
        yield Finding(
            ("cluster", "disk_encryption_set_id"),
            "is a placeholder; write the id of your disk encryption set, or remove the line to use Azure's keys",
        )


def _reserved(domain: str) -> bool:
    return any(domain == reserved or domain.endswith(f".{reserved}") for reserved in _RESERVED_DOMAINS)
