"""Logins as Azure knows them: refused ones, and what roles let them do."""

from typing import Any

from tests.support.preflight.azure_api import SCOPE, AzureApi
from tests.support.preflight.surroundings import result, surroundings

Azure = tuple[AzureApi, str]
CONTRIBUTOR = {
    "actions": ["*"],
    "notActions": ["Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"],
}
ACCESS = {"actions": ["*/read", "Microsoft.Authorization/*"], "notActions": []}
ROLES_ALONE = {"actions": ["Microsoft.Authorization/roleAssignments/write", "*/read"], "notActions": []}
READER = {"actions": ["*/read"], "notActions": []}
KEY = f"{SCOPE}/resourceGroups/keys/providers/Microsoft.Compute/diskEncryptionSets/llm"


class Refused:
    """A credential that Entra or az refuses."""

    def __init__(self, said: str) -> None:
        self.said = said

    def get_token(self, *_scopes: str, **_options: Any) -> Any:
        from azure.core.exceptions import ClientAuthenticationError

        raise ClientAuthenticationError(self.said)


def sentences(name: str, azure: Azure, environment: Any = None, **more: Any) -> list[str]:
    found = result(name, surroundings(azure[1], environment, **more))
    assert not found.not_checked, found.not_checked
    return [f"{finding.outcome}: {finding.what} -> {finding.fix}" for finding in found.findings]
