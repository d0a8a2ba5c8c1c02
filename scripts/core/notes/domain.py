"""Whether an environment's domain can be its own: no public suffix, and no other environment's."""

from collections.abc import Iterator, Mapping

from publicsuffixlist import PublicSuffixList

from stacks.settings import Settings
from stacks.settings.file.placeholders import placeholders
from stacks.settings.network import NetworkSettings
from stacks.settings.rules.base import Finding


def domain_findings(settings: Settings, others: Mapping[str, Settings]) -> Iterator[Finding]:
    """Yield what is wrong with the domain; `others` are the sound environment files beside this one, by name.

    Source of the suffixes: https://publicsuffix.org, as the package publicsuffixlist brings it.
    """
    known = PublicSuffixList(accept_unknown=False)
    standing_in = any(finding.key == ("domain",) for finding in placeholders(settings))
    # Of a private zone nobody outside knows anything; one that Let's Encrypt signs has a public zone of its name.
    public = not settings.is_private and not standing_in
    if public and known.publicsuffix(settings.domain) is None:
        last = settings.domain.rpartition(".")[2]
        yield Finding(("domain",), f"ends in .{last}, which is no top-level domain; write a public domain")
    if PublicSuffixList().is_public(settings.domain) and "." in settings.domain:
        yield Finding(
            ("domain",), "is a public suffix, below which anybody can have a name; write a domain of your own below it"
        )
    for name, other in others.items():
        if other.domain == settings.domain:
            yield Finding(
                ("domain",),
                f"is also the domain of environments/{name}.yaml: both would answer at chat.{settings.domain}; give"
                " each its own",
            )


def joined_networks_notes(network: NetworkSettings, others: Mapping[str, Settings]) -> Iterator[str]:
    """Yield a note for each environment whose network this one could not be joined with, where it is joined at all."""
    if not network.private_client_ranges:
        return
    mine = network.address_space
    for name, other in others.items():
        if mine.overlaps(other.network.address_space):
            yield (
                f"network.address_space {mine} overlaps that of environments/{name}.yaml"
                f" ({other.network.address_space}): no network can be joined with both (peering, VPN)"
            )
