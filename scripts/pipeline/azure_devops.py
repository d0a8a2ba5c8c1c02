"""Azure DevOps: service connections with workload identity federation, and what their tokens say.

Asked with the user's own `az`, whose login Azure DevOps takes
(https://learn.microsoft.com/azure/devops/integrate/get-started/authentication/entra).
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from scripts.core.azure import az, az_text

from .azure import AzureIdentities
from .identities import Purpose
from .place import Credential
from .steps import Step

RESOURCE = "499b84ac-1321-427f-aa17-267ca6975798"
"""Application id of Azure DevOps in every tenant."""
_VERSION = "api-version=7.1"


@dataclass
class AzureDevOps:
    """One project."""

    organization: str
    project: str
    base: str
    """Beginning of the connections' names: `llm-prod`."""
    ask: Callable[..., dict[str, Any]] = az
    tell: Callable[..., str] = az_text

    @property
    def _url(self) -> str:
        return f"https://dev.azure.com/{quote(self.organization)}"

    def connection(self, purpose: Purpose) -> str:
        """Return the name of a purpose's service connection."""
        return f"{self.base}-{purpose}"

    def credentials(self) -> dict[Purpose, tuple[Credential, ...]]:
        """Return what the tokens of the connections that are there say. Raises AzureError.

        Azure DevOps makes issuer and subject itself, in one of two forms, and tells them with the connection.
        """
        return {purpose: (self._credential(purpose, found),) for purpose, found in self._connections().items()}

    def steps(self, azure: AzureIdentities, tenant_id: str) -> Iterator[Step]:
        """Yield the connections that are missing. Raises AzureError."""
        there = self._connections()
        for purpose in azure.purposes:
            if purpose not in there:
                name, identity = self.connection(purpose), azure.place.identity(purpose)
                text = f"create service connection {name} in {self.project}, which logs in as {identity}"
                yield Step(text, partial(self._create, purpose, azure, tenant_id))

    def removal(self) -> Iterator[Step]:
        """Yield what deletes the connections. Raises AzureError."""
        for purpose, found in self._connections().items():
            project = found["serviceEndpointProjectReferences"][0]["projectReference"]["id"]
            url = f"{self._url}/_apis/serviceendpoint/endpoints/{found['id']}?projectIds={project}&{_VERSION}"
            delete = partial(self.tell, "rest", "--method", "DELETE", "--resource", RESOURCE, "--url", url)
            yield Step(f"delete service connection {self.connection(purpose)}", delete)

    def _connections(self) -> dict[Purpose, dict[str, Any]]:
        names = {self.connection(purpose): purpose for purpose in Purpose}
        endpoints = f"{self._url}/{quote(self.project)}/_apis/serviceendpoint/endpoints"
        url = f"{endpoints}?endpointNames={','.join(names)}&{_VERSION}"
        found = self.ask("rest", "--method", "GET", "--resource", RESOURCE, "--url", url)["value"]
        return {names[item["name"]]: item for item in found if item["name"] in names}

    def _create(self, purpose: Purpose, azure: AzureIdentities, tenant_id: str) -> None:
        project = self.ask(
            *("rest", "--method", "GET", "--resource", RESOURCE),
            *("--url", f"{self._url}/_apis/projects/{quote(self.project)}?{_VERSION}"),
        )
        name, subscription = self.connection(purpose), azure.place.names.subscription_id
        body = {
            "name": name,
            "type": "AzureRM",
            "url": "https://management.azure.com/",
            "authorization": {
                "scheme": "WorkloadIdentityFederation",
                "parameters": {"tenantid": tenant_id, "serviceprincipalid": azure.principals[purpose].client_id},
            },
            "data": {
                "subscriptionId": subscription,
                "subscriptionName": subscription,
                "environment": "AzureCloud",
                "scopeLevel": "Subscription",
                "creationMode": "Manual",
            },
            "isShared": False,
            "serviceEndpointProjectReferences": [
                {"name": name, "projectReference": {"id": project["id"], "name": project["name"]}}
            ],
        }
        made = self.ask(
            *("rest", "--method", "POST", "--resource", RESOURCE),
            *("--url", f"{self._url}/_apis/serviceendpoint/endpoints?{_VERSION}", "--body", json.dumps(body)),
        )
        azure.trust(purpose, self._credential(purpose, made))

    def _credential(self, purpose: Purpose, connection: dict[str, Any]) -> Credential:
        parameters = connection["authorization"]["parameters"]
        return Credential(
            f"azure-devops-{self.connection(purpose)}",
            parameters["workloadIdentityFederationIssuer"],
            parameters["workloadIdentityFederationSubject"],
        )
