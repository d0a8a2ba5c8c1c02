"""The way to a cluster's API by the official Python client: configuration, logins (kubelogin among them), TLS."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import ConfigException, new_client_from_config

from scripts.core.errors import ExitCode

from .api import TIMEOUT_S, ClusterApi, ClusterError

PAGE = 500
PAUSE_S = 0.2
_TRIES = 4
_CONNECTIONS = 600


@dataclass(frozen=True)
class ByClient:
    """Requests by the official Python client."""

    client: ApiClient
    page: int = PAGE

    def send(
        self,
        method: str,
        where: str,
        *,
        body: Mapping[str, Any] | None,
        content_type: str,
        limits: tuple[float, float],
    ) -> urllib3.BaseHTTPResponse:
        """Send a request."""
        headers = {"Accept": "application/json", "Content-Type": content_type}
        self.client.update_params_for_auth(headers, None, ["BearerToken"], where.partition("?")[0], method, body)
        url = f"{self.client.configuration.host}{where}"
        answer: urllib3.BaseHTTPResponse = self.client.call_api(
            method, url, headers, body, _request_timeout=limits
        ).response
        return answer


def connect(
    context: str, *, timeout_s: float = TIMEOUT_S, configuration: str | None = None, pause_s: float = PAUSE_S
) -> ClusterApi:
    """Return the API of a context of the user's own configuration; an answer may take `timeout_s`.

    `configuration` is the file; left out, the one that kubectl reads too. A busy server is asked again after `pause_s`,
    twice as long each time.

    Raises ClusterError where it cannot be used.
    """
    settings = Configuration()
    # Only what changes nothing is asked again: a refused eviction has the same status as a server that is busy.
    settings.retries = urllib3.Retry(
        total=_TRIES, status_forcelist=(429, 500, 502, 503, 504), allowed_methods=("GET",), backoff_factor=pause_s,
        raise_on_status=False,
    )  # fmt: skip
    settings.connection_pool_maxsize = _CONNECTIONS
    try:
        client = new_client_from_config(  # type: ignore[no-untyped-call]
            config_file=configuration or os.environ.get("KUBECONFIG"), context=context, client_configuration=settings
        )
    except ConfigException as error:
        raise ClusterError(
            f"the login to the cluster cannot be used: {error}",
            "az login; then `az aks get-credentials` and `kubelogin convert-kubeconfig -l azurecli`",
            ExitCode.NOT_READY,
        ) from None
    return ClusterApi(ByClient(client), timeout_s)
