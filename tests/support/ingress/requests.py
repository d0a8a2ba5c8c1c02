"""Requests as bytes, for what no library of a client would send."""

import re
import socket
import ssl

from tests.support.patience import PATIENCE_S


def ask(port: int, request: bytes, *, tls: bool = False) -> int:
    """Send one request as it is; return the status, 0 where the connection is closed without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as plain:
        if not tls:
            return _status(plain, request)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with context.wrap_socket(plain) as connection:
            return _status(connection, request)


def _status(connection: socket.socket, request: bytes) -> int:
    connection.sendall(request)
    found = re.match(rb"HTTP/1\.1 (\d+)", connection.makefile("rb").readline())
    return int(found.group(1)) if found else 0


def plain(method: str, target: str | bytes, host: str, *headers: str, body: bytes = b"") -> bytes:
    """Return an ordinary request."""
    where = target.encode("latin-1") if isinstance(target, str) else target
    lines = [f"Host: {host}", "Connection: close", *headers, *([f"Content-Length: {len(body)}"] if body else [])]
    return method.encode() + b" " + where + b" HTTP/1.1\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + body
