"""A network of the test run's own, in which the names of a cluster resolve and nothing else can be reached.

Linux and root: the process leaves for new network and mount namespaces, and comes back at the end. Everything that it
starts meanwhile is there too, so that programs run with addresses and ports exactly as they are deployed.
"""

import ctypes
import os
import socket
import struct
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

NEW_MOUNTS, NEW_NETWORK, OWN_FOLDERS = 0x0002_0000, 0x4000_0000, 0x0000_0200
"""CLONE_NEWNS, CLONE_NEWNET and CLONE_FS of unshare(2)."""
DNS = "127.0.0.53"
KUBE_DNS = "kube-dns.kube-system.svc.cluster.local"
TYPE_A = 1
NO_SUCH_NAME = 3


def available() -> bool:
    """Return whether this process may make namespaces."""
    return sys.platform == "linux" and os.geteuid() == 0


@dataclass
class Names:
    """Name server of the network: answers with the addresses that it is given, and notes what nobody has."""

    addresses: dict[str, str] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)

    def reply(self, query: bytes) -> bytes:
        """Return the answer to one question (RFC 1035)."""
        name, end = _name(query)
        (kind,) = struct.unpack_from(">H", query, end)
        question = query[12 : end + 4]
        address = self.addresses.get(name.lower())
        if address is None:
            self.unknown[name] += 1
        answers = 1 if address and kind == TYPE_A else 0
        flags = 0x8580 | (NO_SUCH_NAME if address is None else 0)
        head = query[:2] + struct.pack(">HHHHH", flags, 1, answers, 0, 0)
        if not address or not answers:
            return head + question
        return head + question + struct.pack(">HHHIH", 0xC00C, TYPE_A, 1, 5, 4) + socket.inet_aton(address)


def _name(query: bytes) -> tuple[str, int]:
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii", "replace"))
        at += 1 + query[at]
    return ".".join(labels), at + 1


@contextmanager
def pod_network(folder: Path, addresses: Mapping[str, str]) -> Iterator[Names]:
    """Enter a network in which `addresses` are known; all of them are of the loopback range."""
    names = Names({**addresses, KUBE_DNS: DNS})
    (folder / "hosts").write_text(f"127.0.0.1 localhost\n{DNS} {KUBE_DNS}\n")
    (folder / "resolv.conf").write_text(f"nameserver {DNS}\noptions timeout:2 attempts:1\n")
    where = Path.cwd()
    before = [
        (kind, os.open(f"/proc/thread-self/ns/{name}", os.O_RDONLY))
        for kind, name in ((NEW_NETWORK, "net"), (NEW_MOUNTS, "mnt"))
    ]
    _call("unshare", NEW_NETWORK | NEW_MOUNTS)
    try:
        _run("mount", "--make-rprivate", "/")
        for name in ("hosts", "resolv.conf"):
            _run("mount", "--bind", str(folder / name), f"/etc/{name}")
        _run("ip", "link", "set", "lo", "up")
        with _serving(names):
            yield names
    finally:
        # A thread that still waits for a connection's next request shares its working folder with this one; with that,
        # setns(2) refuses another mount namespace.
        _call("unshare", OWN_FOLDERS)
        for kind, handle in before:
            _call("setns", handle, kind)
            os.close(handle)
        os.chdir(where)


@contextmanager
def _serving(names: Names) -> Iterator[None]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind((DNS, 53))

        def serve() -> None:
            while True:
                query, asker = listening.recvfrom(4096)
                if not query:
                    return
                listening.sendto(names.reply(query), asker)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", (DNS, 53))
            thread.join()


def _call(name: str, *arguments: int) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments):
        raise OSError(ctypes.get_errno(), f"{name} failed")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
