"""Terraform state and generated secrets."""

from collections.abc import Iterator
from difflib import get_close_matches

from ..azure import HcpExecution, SecretSettings, StateBackend, StateSettings
from ..secrets.names import SECRETS, GeneratedSecret
from .base import Finding

OLDEST_TERRAFORM_MINOR = 11
"""Write-only arguments need Terraform 1.11."""


def backend_has_its_settings(state: StateSettings) -> Iterator[Finding]:
    """The chosen backend is described and no other."""
    for backend in (StateBackend.AZURERM, StateBackend.HCP):
        given = getattr(state, backend.value) is not None
        if state.backend is backend and not given:
            yield Finding(("state", backend.value), f"is required by state.backend: {backend.value}; add its keys")
        if state.backend is not backend and given:
            yield Finding(
                ("state", backend.value),
                f"has no use with state.backend: {state.backend.value}; remove it or choose it",
            )


def private_state_has_no_public_ranges(state: StateSettings) -> Iterator[Finding]:
    """A state account that has an address inside a network only is not opened to ranges of the internet."""
    azurerm = state.azurerm
    if azurerm and azurerm.private_endpoint_subnet_id and azurerm.ip_ranges:
        yield Finding(
            ("state", "azurerm", "ip_ranges"),
            "have no effect on an account with private_endpoint_subnet_id; remove one of them",
        )


def agents_have_remote_runs(state: StateSettings) -> Iterator[Finding]:
    """Agents are named only where HCP Terraform starts the runs, and a run's Terraform is new enough."""
    hcp = state.hcp
    if hcp is None:
        return
    if hcp.agent_pool and hcp.execution is HcpExecution.LOCAL:
        yield Finding(("state", "hcp", "agent_pool"), "has no use with state.hcp.execution: local; remove one of them")
    if int(hcp.terraform_version.split(".")[1]) < OLDEST_TERRAFORM_MINOR:
        yield Finding(
            ("state", "hcp", "terraform_version"),
            f"is too old: secrets stay out of the state only from 1.{OLDEST_TERRAFORM_MINOR}.0 on",
        )


def rotated_secrets_can_be_rotated(secrets: SecretSettings) -> Iterator[Finding]:
    """Versions are given for secrets that exist and that no store keeps on disk."""
    names = [secret.value for secret in GeneratedSecret]
    for name, version in secrets.versions.items():
        if name not in names:
            near = get_close_matches(name, names, n=1)
            suggestion = f"did you mean {near[0]}?" if near else f"they are {', '.join(names)}"
            yield Finding(("secrets", "versions", name), f"is no secret that the platform generates; {suggestion}")
        elif version > 1 and (keeper := SECRETS[GeneratedSecret(name)].kept_by):
            yield Finding(
                ("secrets", "versions", name),
                f"cannot be raised: {keeper}, and a new version would lock it out; leave it at 1",
            )


RULES = (
    backend_has_its_settings,
    private_state_has_no_public_ranges,
    agents_have_remote_runs,
    rotated_secrets_can_be_rotated,
)
