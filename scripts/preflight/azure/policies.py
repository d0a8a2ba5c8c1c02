"""Whether a policy of Azure above this subscription would refuse the platform's pods.

An organization often assigns the initiatives for Kubernetes with the effect `deny` at a management group. They refuse
what the add-on sees, whatever the namespaces' own Pod Security level says.
"""

from collections.abc import Collection, Iterator
from typing import Any

from scripts.azure import operations
from scripts.azure.shape import Shape
from stacks.platform.common.namespaces import NamespaceRules, PodSecurity
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings

from ..findings import Finding, warning
from ..surroundings import Surroundings

RESTRICTED = "42b8ef37-b724-4e24-bbc8-7a7708edfe00"
"""Initiative "Kubernetes cluster pod security restricted standards for Linux-based workloads"
(https://learn.microsoft.com/azure/aks/policy-reference)."""


class Given(Shape):
    """Value of a parameter."""

    value: Any = None


class Facts(Shape):
    """What an assignment assigns, and how."""

    display_name: str | None = None
    scope: str = ""
    policy_definition_id: str = ""
    enforcement_mode: str = "Default"
    parameters: dict[str, Given] | None = None


class Assignment(Shape):
    """An assignment of a policy or an initiative."""

    name: str = ""
    properties: Facts


def concerns(settings: Settings) -> bool:
    """Tell whether the cluster obeys Azure Policy at all."""
    return settings.cluster.azure_policy


def look(asked: Surroundings) -> Iterator[Finding]:
    """Yield a warning for each assignment that would refuse pods. Raises AnswerError.

    Exemptions and selectors of an assignment are not read, so that a warning is no proof.
    """
    namespaces = enabled_components(asked.settings).namespaces()
    yield from refusals(namespaces, asked.azure.ask_all(operations.POLICY_ASSIGNMENTS, Assignment))


def refusals(namespaces: Collection[NamespaceRules], assignments: Collection[Assignment]) -> Iterator[Finding]:
    """Yield a warning for each assignment that would refuse pods of these namespaces."""
    privileged, baseline = _below_restricted(namespaces)
    for assignment in assignments:
        facts, given = assignment.properties, assignment.properties.parameters or {}
        restricted = facts.policy_definition_id.lower().endswith(f"/{RESTRICTED}")
        if "excludedNamespaces" not in given and not restricted:
            continue
        effect = given.get("effect", Given()).value
        if str(effect).lower() != "deny" or facts.enforcement_mode == "DoNotEnforce":
            continue
        needed = privileged | (baseline if restricted else set())
        missing = needed - set(given.get("excludedNamespaces", Given()).value or ())
        if missing:
            yield warning(
                f"Azure Policy {facts.display_name or assignment.name!r} of {facts.scope} may refuse pods of"
                f" {', '.join(sorted(missing))}",
                why="their pods never start, and the deployment waits for them until it gives up",
                fix=f"have {', '.join(sorted(missing))} added to its parameter excludedNamespaces, or an exemption for"
                " this cluster",
            )


def _below_restricted(namespaces: Collection[NamespaceRules]) -> tuple[set[str], set[str]]:
    """Return the namespaces of the levels `privileged` and `baseline`."""
    return (
        {rules.name for rules in namespaces if rules.enforced is PodSecurity.PRIVILEGED},
        {rules.name for rules in namespaces if rules.enforced is PodSecurity.BASELINE},
    )
