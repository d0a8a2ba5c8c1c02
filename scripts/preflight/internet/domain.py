"""Whether the domain is delegated, to the zone that Azure has, and whether Let's Encrypt may issue for its hosts."""

from collections.abc import Iterable, Iterator

from publicsuffixlist import PublicSuffixList

from scripts.azure import operations
from scripts.azure.shape import Shape
from stacks.platform.components.enabled import enabled_components
from stacks.settings.file.placeholders import placeholders

from ..findings import Finding, NotCheckedError, warning
from ..surroundings import Surroundings
from .dns import BrokenZoneError, Record

AUTHORITY = "letsencrypt.org"
"""Domain by which CAA records name Let's Encrypt (https://letsencrypt.org/docs/caa/)."""
CHALLENGE = "http-01"
_NO_CERTIFICATE = "no certificate is issued, and every page ends in a warning of the browser"
_UNREACHABLE = "nobody reaches the platform by its names, and Let's Encrypt issues no certificate"


class ZoneServers(Shape):
    """Facts of a zone."""

    name_servers: list[str] | None = None


class Zone(Shape):
    """A public zone in Azure DNS."""

    name: str
    id: str = ""
    properties: ZoneServers = ZoneServers()


def _hosts(asked: Surroundings) -> list[str]:
    return enabled_components(asked.settings).host_names()


def _refuse_placeholder(asked: Surroundings) -> None:
    if any(finding.key == ("domain",) for finding in placeholders(asked.settings)):
        raise NotCheckedError("domain is a placeholder; write a domain of your own")


def look_at_delegation(asked: Surroundings) -> Iterator[Finding]:
    """Yield why names below the domain would not be found. Raises NotCheckedError."""
    _refuse_placeholder(asked)
    domain = asked.settings.domain
    bought = PublicSuffixList().privatesuffix(domain) or domain
    try:
        if asked.dns.records(bought, "NS") is None:
            yield Finding(
                f"domain: {bought} does not exist in DNS",
                _UNREACHABLE,
                f"register it, or correct domain in environments/{asked.settings.name}.yaml",
            )
            return
        zone, servers = asked.dns.zone(domain)
        yield from _servers(asked, zone, servers)
        yield from _addresses(asked)
    except BrokenZoneError as error:
        yield Finding(
            f"domain: no server answers for {error} (SERVFAIL)",
            _UNREACHABLE,
            f"dig +trace {domain} NS; correct the NS and DS records at the parent zone",
        )


def _servers(asked: Surroundings, zone: str, servers: Iterable[str]) -> Iterator[Finding]:
    refusals = {server: asked.dns.refusal(zone, server) for server in servers}
    if refusals and all(refusals.values()):
        server, why = next(iter(refusals.items()))
        yield Finding(
            f"domain: {zone} is delegated to {', '.join(refusals)}, and {server} {why}",
            _UNREACHABLE,
            f"dig @{server} {zone} SOA; correct the NS records of {zone} at its parent zone",
        )


def _addresses(asked: Surroundings) -> Iterator[Finding]:
    with_v6 = [host for host in _hosts(asked) if asked.dns.records(host, "AAAA")]
    if with_v6:
        yield warning(
            f"domain: {', '.join(with_v6)} has an AAAA record, the platform has an IPv4 address alone",
            why="Let's Encrypt and browsers take IPv6 first and reach something else",
            fix="remove the AAAA record",
        )


def look_at_azure_zone(asked: Surroundings) -> Iterator[Finding]:
    """Yield a finding where Azure has a zone for the domain that nobody is sent to. Raises AnswerError."""
    _refuse_placeholder(asked)
    domain = asked.settings.domain
    zones = [one for one in asked.azure.ask_all(operations.DNS_ZONES, Zone) if _holds(one.name, domain)]
    if not zones:
        return
    zone = max(zones, key=lambda one: len(one.name))
    own = sorted(server.rstrip(".").lower() for server in zone.properties.name_servers or ())
    try:
        delegated, servers = asked.dns.zone(domain)
    except BrokenZoneError:
        delegated, servers = "", []
    if delegated != zone.name.lower() or not set(own) & set(servers):
        yield Finding(
            f"domain: the zone {zone.name} in Azure is not delegated: DNS names"
            f" {', '.join(servers) or 'no server'}, Azure {', '.join(own)}",
            "records in that zone are found by nobody",
            f"write NS records of {zone.name} with {', '.join(own)} at its parent zone or registrar",
        )


def _holds(zone: str, domain: str) -> bool:
    return domain == zone.lower() or domain.endswith(f".{zone.lower()}")


def look_at_authorities(asked: Surroundings) -> Iterator[Finding]:
    """Yield each name whose CAA records keep Let's Encrypt from issuing. Raises NotCheckedError."""
    _refuse_placeholder(asked)
    found: dict[str, tuple[list[Record], list[str]]] = {}
    for host in _hosts(asked):
        try:
            name, records = asked.dns.authorities(host)
        except BrokenZoneError as error:
            yield Finding(
                f"domain: whether a certificate may be issued for {host} cannot be read: {error} answers SERVFAIL",
                f"Let's Encrypt asks the same and refuses; {_NO_CERTIFICATE}",
                f"dig {error} CAA; have the servers of the zone answer",
            )
            return
        if name:
            found.setdefault(name, (records, []))[1].append(host)
    for name, (records, hosts) in found.items():
        if why := forbidden(records):
            yield Finding(
                f"domain: the CAA records of {name} {why} ({', '.join(hosts)})",
                _NO_CERTIFICATE,
                f'add the record {name}. CAA 0 issue "{AUTHORITY}"',
            )


def forbidden(records: Iterable[Record]) -> str:
    """Return why Let's Encrypt may not issue by HTTP under these records; empty where it may.

    https://www.rfc-editor.org/rfc/rfc8659 (issue), https://www.rfc-editor.org/rfc/rfc8657 (validationmethods).
    """
    records = list(records)
    critical = [
        one.tag for one in records if one.flags & 128 and one.tag.lower() not in ("issue", "issuewild", "iodef")
    ]
    if critical:
        return f"hold the critical property {critical[0]}, which Let's Encrypt does not know"
    issuers = [one.value for one in records if one.tag.lower() == "issue"]
    if not issuers:
        return ""
    methods = [_methods(value) for value in issuers if value.split(";")[0].strip().lower() == AUTHORITY]
    if not methods:
        named = sorted({value.split(";")[0].strip() for value in issuers} - {""})
        return f"allow {', '.join(named) or 'nobody'} and not {AUTHORITY}"
    if not any(allowed is None or CHALLENGE in allowed for allowed in methods):
        return f"allow {AUTHORITY} without the method {CHALLENGE}, which the platform uses"
    return ""


def _methods(value: str) -> list[str] | None:
    for parameter in value.split(";")[1:]:
        name, _, given = parameter.partition("=")
        if name.strip().lower() == "validationmethods":
            return [method.strip().lower() for method in given.split(",")]
    return None
