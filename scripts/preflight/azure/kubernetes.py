"""Whether AKS offers the Kubernetes version that the file asks for, in its region and with its kind of support."""

from collections.abc import Iterator

from scripts.azure import operations
from scripts.azure.shape import Shape

from ..findings import Finding, warning
from ..surroundings import Surroundings

_STOPS = "AKS refuses the cluster, after vault, database and registry are made"
LONG_TERM = "AKSLongTermSupport"
OFFICIAL = "KubernetesOfficial"


class Plans(Shape):
    """Kinds of support."""

    support_plan: list[str] | None = None


class Minor(Shape):
    """A minor version."""

    version: str
    is_preview: bool | None = None
    capabilities: Plans = Plans()
    patch_versions: dict[str, object] | None = None


class Versions(Shape):
    """What a region offers."""

    values: list[Minor]


def look(asked: Surroundings) -> Iterator[Finding]:
    """Yield why the version is not to be had. Raises AnswerError."""
    cluster = asked.settings.cluster
    offered = asked.azure.ask(operations.KUBERNETES_VERSIONS, Versions, region=asked.region).values
    wanted, plan = cluster.kubernetes_version, LONG_TERM if cluster.long_term_support else OFFICIAL
    minor = next((one for one in offered if one.version == ".".join(wanted.split(".")[:2])), None)
    with_plan = sorted(one.version for one in offered if plan in (one.capabilities.support_plan or ()))
    patches = sorted(minor.patch_versions or {}) if minor else []
    if minor is None or (wanted.count(".") == 2 and wanted not in patches):
        available = patches if minor else with_plan
        yield Finding(
            f"cluster.kubernetes_version: AKS does not offer {wanted} in {asked.region}",
            _STOPS,
            f"write one of {', '.join(available) or 'those of az aks get-versions'}",
        )
        return
    if plan not in (minor.capabilities.support_plan or ()):
        yield Finding(
            f"cluster.kubernetes_version: AKS offers {wanted} in {asked.region} without the support plan {plan}",
            _STOPS,
            f"write one of {', '.join(with_plan)}, or change cluster.long_term_support",
        )
    if minor.is_preview:
        yield warning(
            f"cluster.kubernetes_version: {wanted} is a preview in {asked.region}",
            why="AKS gives no support for it, and may withdraw it",
            fix=f"write one of {', '.join(version for version in with_plan if version != minor.version)}",
        )
