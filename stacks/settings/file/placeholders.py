"""Values that stand in an environment file until somebody writes the real ones."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from ..environment import Settings
from ..rules.base import Finding
from .errors import Key

_ZEROS = "00000000-0000-0000-0000-000000000000"
_RESERVED_DOMAINS = ("example.com", "example.org", "example.net", "example", "test", "invalid", "localhost")
"""Domains that nobody can own (RFC 2606)."""
_RESERVED_RANGES = tuple(map(IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))
"""Ranges of examples, in which nobody is (RFC 5737)."""


def placeholders(settings: Settings) -> Iterator[Finding]:
    """Yield what has to be replaced before Azure or Let's Encrypt takes it; a rehearsal needs none of it."""
    if settings.azure.subscription_id == _ZEROS:
        yield Finding(("azure", "subscription_id"), "is a placeholder; write yours: az account show --query id")
    if _reserved(settings.domain):
        yield Finding(("domain",), "is a placeholder; write a domain of your own")
    if settings.ingress.acme_email and _reserved(settings.ingress.acme_email.rsplit("@", 1)[1]):
        yield Finding(("ingress", "acme_email"), "is a placeholder; Let's Encrypt refuses it")
    for key, ranges in _public_ranges(settings):
        for index, network in enumerate(ranges):
            if any(network.overlaps(reserved) for reserved in _RESERVED_RANGES):
                yield Finding((*key, index), "is a range of examples (RFC 5737), in which nobody is; write your own")
    if _ZEROS in (settings.cluster.disk_encryption_set_id or ""):
        yield Finding(
            ("cluster", "disk_encryption_set_id"),
            "is a placeholder; write the id of your disk encryption set, or remove the line to use Azure's keys",
        )


def _public_ranges(settings: Settings) -> Iterator[tuple[Key, tuple[IPv4Network, ...]]]:
    yield ("operators", "ip_ranges"), settings.operators.ip_ranges
    yield ("vault", "extra_allowed_ranges"), settings.vault.extra_allowed_ranges
    yield ("cluster", "api_authorized_ranges"), settings.cluster.api_authorized_ranges
    yield ("ingress", "allowed_source_ranges"), settings.ingress.allowed_source_ranges
    if settings.state.azurerm:
        yield ("state", "azurerm", "ip_ranges"), settings.state.azurerm.ip_ranges


def _reserved(domain: str) -> bool:
    return any(domain == reserved or domain.endswith(f".{reserved}") for reserved in _RESERVED_DOMAINS)
