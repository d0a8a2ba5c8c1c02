"""A pipeline may assign the roles that the stacks assign, and no other."""

from collections.abc import Callable
from pathlib import Path

from scripts.pipeline.identities import ASSIGNED_ROLES
from stacks.settings import load_settings
from stacks.settings.monitoring import MetricsStore
from tests.support.stacks.synthesis import Synthesized, synthesize


def _roles(found: Synthesized) -> set[str]:
    return {
        str(body["role_definition_name"])
        for stack in found.stacks
        for body in found.resources(stack, "azurerm_role_assignment").values()
    }


def test_the_roles_that_a_pipeline_may_assign_are_those_of_the_stacks(
    environment: Callable[[str], Synthesized], tmp_path: Path
) -> None:
    dev = load_settings("dev")
    metrics = dev.monitoring.model_copy(update={"metrics": MetricsStore.AZURE_MONITOR})
    monitored = synthesize(dev.model_copy(update={"monitoring": metrics}), tmp_path)
    assert _roles(environment("dev")) | _roles(environment("prod")) | _roles(monitored) == set(ASSIGNED_ROLES)
