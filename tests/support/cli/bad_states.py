"""States of the outside in which commands have to answer by a sentence: what reaches them then, by the state's name."""

from collections.abc import Callable
from typing import Any

from scripts.cli.tools import Tools
from scripts.cluster.api import ClusterError
from scripts.cluster.kubectl import KubectlError
from scripts.core.azure import AzureError
from scripts.core.errors import ExitCode, OperatorError
from scripts.terraform.outputs import NotDeployedError

from .terminals import Nobody

NETWORK = "check the network and VPN, and whether the cluster is stopped (off-hours)"
ROLES = "docs/reference/permissions.md lists the roles of operators"
OUTPUTS = {"aks": {"resource_group_name": "llm-dev-aks", "cluster_name": "llm-dev-aks", "api_url": "https://gone"}}
NOT_DEPLOYED = NotDeployedError("dev is not deployed: aks has no outputs", "llmctl deploy dev", ExitCode.NOT_READY)


def _raising(error: Exception) -> Callable[..., Any]:
    def answer(*_given: Any, **_named: Any) -> Any:
        raise error

    return answer


class _Answering:
    """Something whose every method raises the same error."""

    context = "llm-dev-aks"

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, _name: str) -> Callable[..., Any]:
        return _raising(self._error)


def _cluster(by_client: Exception, by_kubectl: Exception) -> dict[str, Any]:
    return {
        "outputs_of": lambda *_names: OUTPUTS,
        "kubectl_of": lambda _name: _Answering(by_kubectl),
        "cluster_of": lambda _kubectl: _Answering(by_client),
        "in_pod": lambda *_place: _raising(by_kubectl),
    }


def _azure(error: Exception) -> dict[str, Any]:
    return {"outputs_of": lambda *_names: OUTPUTS, "power_of": lambda *_place: _Answering(error)}


STATES: dict[str, dict[str, Any]] = {
    "not deployed": {"kubectl_of": _raising(NOT_DEPLOYED), "outputs_of": _raising(NOT_DEPLOYED)},
    "no context": {
        "outputs_of": lambda *_names: OUTPUTS,
        "kubectl_of": _raising(
            OperatorError("kubectl knows no cluster at https://gone", "az aks get-credentials", ExitCode.NOT_READY)
        ),
    },
    "unreachable": _cluster(
        ClusterError("the cluster does not answer: Connection refused", NETWORK, ExitCode.NOT_READY),
        KubectlError("kubectl get failed: Unable to connect to the server: no such host", NETWORK, ExitCode.NOT_READY),
    ),
    "forbidden": _cluster(
        ClusterError("the cluster answers 403 to GET /api/v1/pods: pods is forbidden", ROLES, status=403),
        KubectlError("kubectl get failed: pods is forbidden", ROLES),
    ),
    "no az": _azure(AzureError("the Azure CLI is not installed", "install it", ExitCode.NOT_READY)),
    "not logged in": _azure(AzureError("az is not logged in", "az login", ExitCode.NOT_READY)),
    "on its way": _azure(OperatorError("llm-dev-aks is starting", "wait some minutes, then try again")),
}
"""Arguments of `Tools` by the name of a state; everything else of the outside must not be asked."""

NOTHING = (
    *("rollout", "outputs_of", "kubectl_of", "in_pod", "cluster_of", "power_of", "ingress_of", "entra_logins"),
    *("azure_of", "preflight", "consent_of", "resource_groups"),
)


def tools_in(state: str = "") -> Tools:
    """Return what commands reach in a state; without one, asking anything outside is an error of the test."""
    unasked = _raising(AssertionError("something outside was asked"))
    given: dict[str, Any] = dict.fromkeys(NOTHING, unasked) | STATES.get(state, {})
    return Tools(terminal=Nobody(), **given)
