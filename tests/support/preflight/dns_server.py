"""A DNS server on this machine: UDP, the real wire format, zones as tables."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Records = dict[str, dict[str, list[str]]]


@dataclass
class Zones:
    """What the server knows, as a resolver and as a server of its zones at once."""

    records: Records = field(default_factory=dict)
    """Name to kind to records; every other name does not exist."""
    broken: set[str] = field(default_factory=set)
    """Names that are answered SERVFAIL."""
    silent: set[str] = field(default_factory=set)
    """Names that are not answered at all."""
    authoritative: bool = True
    """Whether answers say that the server is one of the zone."""

    def answer(self, wire: bytes) -> bytes | None:
        """Return the answer to a question, None for silence."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        if name in self.silent:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA | (dns.flags.AA if self.authoritative else 0)
        if name in self.broken:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif not any(known == name or known.endswith(f".{name}") for known in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        else:
            kind = dns.rdatatype.to_text(question.rdtype)
            texts = self.records.get(name, {}).get(kind, [])
            if texts:
                response.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, texts))
        return response.to_wire()


@contextmanager
def dns_server(zones: Zones) -> Iterator[int]:
    """Serve the zones at a free UDP port of this machine; gives over the port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, socket = self.request
            if (answer := zones.answer(wire)) is not None:
                socket.sendto(answer, self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()
