"""Import inside Azure: the registry fetches the image itself, nothing passes through this machine."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from scripts.core.errors import ExitCode, OperatorError
from scripts.core.job_login import JOB
from scripts.images.registry.credentials import Login

from .base import Transfer

if TYPE_CHECKING:
    from azure.core.exceptions import AzureError
    from azure.core.polling import LROPoller
    from azure.mgmt.containerregistry import ContainerRegistryManagementClient

LONGEST_S = 3600
_STEP_S = 2
_DATA_ROLE = "Container Registry Data Importer and Data Reader"


@dataclass(frozen=True)
class AcrImport:
    """The registry's operation `importImage`, as `az acr import` uses it, through Azure's own library.

    https://learn.microsoft.com/rest/api/container-registry/registries/import-image
    """

    client: "ContainerRegistryManagementClient"
    resource_group: str
    registry: str
    """Name of the registry, without its domain."""
    login: Callable[[str], Login | None]
    """Returns the login of a publisher's registry, which Azure needs for private ones."""
    options: dict[str, Any]
    """Options of every request."""
    name: str = "acr"

    def transfer(self, transfer: Transfer) -> None:
        """Start the import and wait for its end. Raises OperatorError with Azure's own words."""
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - half a second that other commands need not wait

        JOB.renew()
        try:
            poller = self.client.registries.begin_import_image(
                self.resource_group, self.registry, self._request(transfer), **self.options
            )
            self._wait(poller, transfer)
        except AzureError as error:
            raise _refused(transfer, error) from None

    def _wait(self, poller: "LROPoller[None]", transfer: Transfer) -> None:
        waited = 0
        while not poller.done():
            if transfer.processes.interrupted:
                # Azure finishes what it began; the next run finds it.
                raise KeyboardInterrupt
            if waited >= LONGEST_S:
                raise OperatorError(f"{transfer.name}: Azure has not imported it within {LONGEST_S // 60} minutes")
            transfer.step("Azure is importing it")
            poller.wait(_STEP_S)
            waited += _STEP_S
        poller.result()

    def _request(self, transfer: Transfer) -> Any:
        from azure.mgmt.containerregistry.models import (  # noqa: PLC0415 - as above
            ImportImageParameters,
            ImportSource,
            ImportSourceCredentials,
        )

        source = transfer.source
        selector = f"@{source.digest}" if source.digest else f":{source.selector}"
        login = self.login(source.registry)
        return ImportImageParameters(
            source=ImportSource(
                registry_uri=source.registry,
                source_image=f"{source.repository}{selector}",
                credentials=ImportSourceCredentials(username=login.user, password=login.password) if login else None,
            ),
            target_tags=[f"{transfer.target.repository}:{transfer.target.tag}"],
            mode="Force",
        )


def _refused(transfer: Transfer, error: "AzureError") -> OperatorError:
    status = getattr(error, "status_code", None)
    detail = getattr(error, "error", None)
    words = f"{detail.code}: {detail.message}" if detail else str(error).splitlines()[0]
    message = f"{transfer.name}: Azure does not import {transfer.source}: {words}"
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return OperatorError(message, f"ask for the role {_DATA_ROLE} on the registry", ExitCode.NOT_READY)
    return OperatorError(message)
