"""Questions to the domain name system, which a test's own server answers too."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver

from ..findings import NotCheckedError

_LIFETIME_S = 8.0
_SERVER_TIMEOUT_S = 3.0


class BrokenZoneError(Exception):
    """The resolver reaches no server that answers for a name (SERVFAIL): a lame delegation, or DNSSEC that fails."""


@dataclass(frozen=True)
class Record:
    """One CAA record (https://www.rfc-editor.org/rfc/rfc8659)."""

    flags: int
    tag: str
    value: str


class Resolver:
    """Asks the machine's resolvers, or those given; servers of a zone are asked at `port`."""

    def __init__(
        self, servers: Sequence[str] = (), *, port: int = 53, lifetime_s: float = _LIFETIME_S,
        server_timeout_s: float = _SERVER_TIMEOUT_S,
    ) -> None:  # fmt: skip
        self._servers, self._port = tuple(servers), port
        self._lifetime_s, self._server_timeout_s = lifetime_s, server_timeout_s

    def records(self, name: str, kind: str) -> list[str] | None:
        """Return the records of a kind as text, None where there is no such name.

        Raises NotCheckedError without an answer, BrokenZoneError where nobody answers for the name.
        """
        answer = self._ask(name, kind)
        return None if answer is None else [record.to_text() for record in answer.rrset or ()]

    def authorities(self, name: str) -> tuple[str, list[Record]]:
        """Return the closest name at or above that has CAA records, with them; empty where none has.

        Raises NotCheckedError, BrokenZoneError.
        """
        labels = name.split(".")
        for above in (".".join(labels[position:]) for position in range(len(labels) - 1)):
            answer = self._ask(above, "CAA")
            if answer is not None and answer.rrset:
                return above, [Record(one.flags, one.tag.decode(), one.value.decode()) for one in answer.rrset]
        return "", []

    def zone(self, name: str) -> tuple[str, list[str]]:
        """Return the closest name at or above that is delegated, with its servers.

        Raises NotCheckedError, BrokenZoneError.
        """
        labels = name.split(".")
        for above in (".".join(labels[position:]) for position in range(len(labels))):
            servers = self.records(above, "NS")
            if servers:
                return above, sorted(server.rstrip(".").lower() for server in servers)
        return "", []

    def refusal(self, zone: str, server: str) -> str | None:
        """Return why a server of a zone does not answer for it, empty where it does, None where it cannot be asked."""
        addresses = [server] if _is_address(server) else self.records(server, "A")
        if not addresses:
            return "has no address"
        question = dns.message.make_query(zone, "SOA")
        try:
            answer = dns.query.udp(question, addresses[0], timeout=self._server_timeout_s, port=self._port)
        except (dns.exception.DNSException, OSError):
            return None
        if answer.rcode() != dns.rcode.NOERROR:
            return f"answers {dns.rcode.to_text(answer.rcode())}"
        return "" if answer.flags & dns.flags.AA else "is no server of it"

    def _ask(self, name: str, kind: str) -> dns.resolver.Answer | None:
        try:
            resolver = dns.resolver.Resolver(configure=not self._servers)
            if self._servers:
                resolver.nameservers, resolver.port = list(self._servers), self._port
            return resolver.resolve(name, kind, raise_on_no_answer=False, search=False, lifetime=self._lifetime_s)
        except dns.resolver.NXDOMAIN:
            return None
        except dns.resolver.NoNameservers as error:
            if "SERVFAIL" in str(error):
                raise BrokenZoneError(name) from None
            raise NotCheckedError(f"the resolver refuses to look up {name}") from None
        except dns.resolver.NoResolverConfiguration:
            raise NotCheckedError("this machine has no resolver (/etc/resolv.conf)") from None
        except dns.exception.DNSException as error:
            raise NotCheckedError(f"no answer about {name} from the resolver ({type(error).__name__})") from None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
