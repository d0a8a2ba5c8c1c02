"""The internal CA of a private environment, as its vault keeps it: the certificate alone, never its key."""

import base64
import hashlib
import json
from pathlib import Path

from scripts.azure.vaults import Vaults
from scripts.core.errors import ExitCode, OperatorError
from stacks.settings import Settings
from stacks.settings.secrets.names import INTERNAL_CA


def root_certificate(settings: Settings, vaults: Vaults) -> str:
    """Return the root's certificate as PEM. Raises OperatorError without an internal CA, AzureError."""
    if not settings.has_internal_ca:
        raise OperatorError(
            f"{settings.name} has no internal CA",
            "it is there with `exposure: private` and `private_access.certificates: internal-ca`; others need no trust",
            ExitCode.SETTINGS,
        )
    vault = settings.azure_names.key_vault
    found: list[str] = []

    def read(value: Path) -> None:
        found.append(str(json.loads(value.read_text("utf-8")).get("tls.crt", "")))

    for version, _ in vaults.versions(vault, INTERNAL_CA)[:1]:
        vaults.carry(vault, INTERNAL_CA, version, read)
    if not found or not found[0]:
        raise OperatorError(
            f"the vault {vault} does not have the CA yet", f"deploy first: `llmctl deploy {settings.name}`"
        )
    return found[0].strip() + "\n"


def fingerprint(certificate: str) -> str:
    """Return the SHA-256 of a certificate in PEM, as openssl writes it. Raises ValueError where it is none."""
    body = certificate.partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END CERTIFICATE-----")[0]
    return hashlib.sha256(base64.b64decode("".join(body.split()), validate=True)).digest().hex(":").upper()
