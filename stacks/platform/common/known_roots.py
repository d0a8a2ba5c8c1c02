"""The roots that are known before anything runs: the public authorities' and the company's, as text and for Java."""

import base64
import warnings
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import certifi


def known_roots(company_roots: Iterable[str]) -> str:
    """Return them as PEM: Mozilla's list, then the company's."""
    lines = Path(certifi.where()).read_text("utf-8").splitlines()
    public = "\n".join(line for line in lines if line and not line.startswith("#"))
    return "".join((public, "\n", *company_roots))


@cache
def trust_store(roots: str) -> str:
    """Return them as a PKCS#12 trust store that Java reads, in base64: without a password, as nothing in it is secret.

    Without its seal, too, which has a random salt: each plan would write another file.
    """
    from cryptography import x509  # noqa: PLC0415 - as in stacks/settings/egress.py
    from cryptography.hazmat.primitives.serialization import NoEncryption  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization.pkcs12 import (  # noqa: PLC0415
        PKCS12Certificate,
        serialize_java_truststore,
    )
    from cryptography.utils import CryptographyDeprecationWarning  # noqa: PLC0415

    with warnings.catch_warnings():
        # A public root of 2004 has a serial number that the standard no longer allows.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        found = x509.load_pem_x509_certificates(roots.encode())
    named = [PKCS12Certificate(one, f"{index}".encode()) for index, one in enumerate(found)]
    return base64.b64encode(_without_seal(serialize_java_truststore(named, NoEncryption()))).decode()


_VERSION = b"\x02\x01\x03"
"""Of the store, in DER."""


def _without_seal(store: bytes) -> bytes:
    """Return a PKCS#12 store without its MAC, which is optional (RFC 7292, section 4) and stands last."""
    whole, start = _length(store, 0)
    version = store.index(_VERSION, start)
    size, content = _length(store, version + len(_VERSION))
    kept = store[start : content + size]
    if start + whole != len(store) or version != start:
        raise ValueError("not a PKCS#12 store")
    return store[:1] + _encoded(len(kept)) + kept


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Return the length of the DER value at a position, and where its content begins."""
    first = data[at + 1]
    if first < 0x80:
        return first, at + 2
    end = at + 2 + (first & 0x7F)
    return int.from_bytes(data[at + 2 : end]), end


def _encoded(length: int) -> bytes:
    digits = length.to_bytes((length.bit_length() + 7) // 8)
    return digits if length < 0x80 else bytes([0x80 | len(digits)]) + digits
