"""The login that Azure is asked with: the one that Terraform takes, from its variables or from the Azure CLI."""

import base64
import json
import logging
import re
import threading
import time
from collections.abc import Mapping
from typing import Any

from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity import AzureCliCredential, CertificateCredential, ClientSecretCredential, ManagedIdentityCredential

from scripts.core.errors import OperatorError
from scripts.core.job_login import JobLogin

from .errors import NoLoginError, UnavailableError

# It logs each refused token besides raising it.
logging.getLogger("azure.identity").addHandler(logging.NullHandler())

_CLI_TIMEOUT_S = 30
_FRESH_S = 300


def credential_of(subscription: str, variables: Mapping[str, str]) -> TokenCredential:
    """Return what gets tokens as azurerm does: a service principal, a managed identity, else the Azure CLI.

    https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs#authenticating-to-azure
    """
    tenant, client = variables.get("ARM_TENANT_ID", ""), variables.get("ARM_CLIENT_ID", "")
    if tenant and client and (secret := variables.get("ARM_CLIENT_SECRET")):
        return ClientSecretCredential(tenant, client, secret)
    if tenant and client and (path := variables.get("ARM_CLIENT_CERTIFICATE_PATH")):
        return CertificateCredential(tenant, client, path, password=variables.get("ARM_CLIENT_CERTIFICATE_PASSWORD"))
    if variables.get("ARM_USE_MSI", "").lower() in ("1", "true"):
        return ManagedIdentityCredential(client_id=client or None)
    return AzureCliCredential(subscription=subscription, process_timeout=_CLI_TIMEOUT_S)


class Login:
    """A credential that is asked once for each service, and whose refusals are sentences. Safe to use from threads."""

    def __init__(self, credential: TokenCredential, job: JobLogin | None = None) -> None:
        """Take tokens from `credential`; `job` logs the Azure CLI of a pipeline's job in again before."""
        self._credential = credential
        self._job = job
        self._lock = threading.Lock()
        self._tokens: dict[tuple[str, ...], AccessToken | NoLoginError] = {}

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        """Return a token. Raises NoLoginError, each time the same."""
        with self._lock:
            found = self._tokens.get(scopes)
            if found is None or (isinstance(found, AccessToken) and found.expires_on - time.time() < _FRESH_S):
                found = self._tokens[scopes] = self._fetch(scopes)
        if isinstance(found, NoLoginError):
            raise found
        return found

    def claims(self, scope: str) -> dict[str, Any]:
        """Return what a token for `scope` says of its holder. Raises NoLoginError, UnavailableError."""
        try:
            payload = self.get_token(scope).token.split(".")[1]
            return dict(json.loads(base64.urlsafe_b64decode(payload + "==")))
        except (IndexError, ValueError, TypeError):
            raise UnavailableError("the login's token cannot be read") from None

    def _fetch(self, scopes: tuple[str, ...]) -> AccessToken | NoLoginError:
        try:
            if self._job:
                self._job.renew()
            return self._credential.get_token(*scopes)
        except OperatorError as error:
            return NoLoginError(error.message, error.fix)
        except ClientAuthenticationError as error:
            return explained(str(error.message))
        except (AzureError, ValueError) as error:
            return explained(str(error))


_SAID = (
    (
        "not found on path",
        "`az` is not installed, and no variable ARM_… names another login",
        "install the Azure CLI: https://learn.microsoft.com/cli/azure/install-azure-cli",
    ),
    (
        "AADSTS(7000222|7000215)",
        "the secret in ARM_CLIENT_SECRET has expired or is not that of ARM_CLIENT_ID",
        "az ad app credential reset --id $ARM_CLIENT_ID",
    ),
    (
        "AADSTS(50076|50079|50158|53000|53001|53003|53004|530003)",
        "Entra asks this login for a second factor or a known device",
        'az login --scope "https://management.core.windows.net//.default"',
    ),
    (r"AADSTS(\d+)", "the login to Azure has expired or is refused", "az login"),
    ("az login", "nobody is logged in to Azure", "az login"),
    (
        "(?i)subscription .*(not found|doesn't exist|does not exist)",
        "the login of the Azure CLI does not know this subscription",
        "az login --tenant TENANT",
    ),
    (
        "Failed to invoke the Azure CLI",
        f"`az` gave no token within {_CLI_TIMEOUT_S} s",
        "az account get-access-token --output none",
    ),
)
"""What azure-identity, az and Entra say, what it means, and the command that mends it; the first that fits counts.

Codes: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""


def explained(said: str) -> NoLoginError:
    """Return what a refused login means, from the words of azure-identity, az or Entra."""
    for pattern, meaning, fix in _SAID:
        if found := re.search(pattern, said):
            code = f" (AADSTS{found[1]})" if "AADSTS" in pattern else ""
            return NoLoginError(f"{meaning}{code}", fix)
    first = next((line.strip() for line in said.splitlines() if line.strip()), "no message")
    return NoLoginError(f"there is no login to Azure: {first}")
