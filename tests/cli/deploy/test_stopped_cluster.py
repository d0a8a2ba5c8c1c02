"""A deployment into a stopped cluster is refused in one sentence, with the command that starts it."""

from typing import Any

import pytest

from scripts.cli.deploy.stopped_cluster import require_running
from scripts.cluster.power import Power
from scripts.core.azure import AzureError
from scripts.core.errors import ExitCode, OperatorError
from scripts.terraform.outputs import NotDeployedError
from stacks.settings import load_settings

AKS = {"resource_group_name": "llm-dev-aks", "cluster_name": "llm-dev-aks"}


def require(*stacks: str, power: dict[str, str] | Exception, outputs: Exception | None = None) -> None:
    def ask(*_words: str) -> dict[str, Any]:
        if isinstance(power, Exception):
            raise power
        return dict(power)

    def outputs_of(environment: str, stack: str) -> dict[str, dict[str, Any]]:
        assert (environment, stack) == ("dev", "aks")
        if outputs:
            raise outputs
        return {"aks": AKS}

    settings = load_settings("dev")
    require_running(
        stacks,
        settings.name,
        settings.azure,
        outputs_of=outputs_of,
        power_of=lambda subscription, aks: Power(
            subscription=subscription, group=aks["resource_group_name"], cluster=aks["cluster_name"], ask=ask
        ),
    )


@pytest.mark.parametrize("stack", ["aks", "platform"])
def test_a_stopped_cluster_is_named_with_the_command_that_starts_it(stack: str) -> None:
    with pytest.raises(OperatorError) as refused:
        require("acr", stack, power={"power": "Stopped", "doing": "Succeeded"})
    assert refused.value.message == "the cluster of dev is stopped, so that nothing can be deployed into it"
    assert refused.value.fix == "`llmctl off-hours now dev --start`, wait some minutes, then deploy again"
    assert refused.value.code is ExitCode.REFUSED


def test_a_cluster_on_its_way_is_waited_for_by_the_person() -> None:
    with pytest.raises(OperatorError, match="llm-dev-aks is starting"):
        require("platform", power={"power": "Running", "doing": "Starting"})


def test_what_cannot_be_asked_or_is_not_there_yet_stops_nothing() -> None:
    require("platform", power={"power": "Running", "doing": "Succeeded"})
    require("platform", power=AzureError("az is not logged in"))
    require("platform", power=AssertionError("asked"), outputs=NotDeployedError("dev is not deployed"))
    require("acr", "disks", power=AssertionError("asked"))
