"""The programs that a deployment runs on this machine, and their versions."""

from collections.abc import Iterator

from scripts.tools.catalogue import everyday, tool

from .findings import Finding, warning
from .surroundings import Surroundings

INSTALL = {
    "az": "https://learn.microsoft.com/cli/azure/install-azure-cli",
    **{name: f"llmctl setup --tools, or {tool(name).install}" for name in everyday()},
    "git": "https://git-scm.com/downloads",
}
IN_CLUSTER = frozenset({"platform"})
"""Stacks that need a login to the cluster."""
KUBECTL_SKEW = 1
"""Minor versions that kubectl may differ from the cluster (https://kubernetes.io/releases/version-skew-policy/)."""


def look(asked: Surroundings) -> Iterator[Finding]:
    """Yield a finding for each program that is missing or does not fit."""
    if problem := asked.machine.terraform():
        yield Finding(problem.message, "every stack is planned and applied by it", problem.fix)
    yield from _missing(asked, "az", "logins, images and backups go through it")
    if not IN_CLUSTER.isdisjoint(asked.stacks):
        yield from _missing(asked, "kubelogin", "every login to the cluster goes through it")
        yield from _kubelogin(asked)
        yield from _missing(asked, "kubectl", "the deployment ends with checks inside the cluster")
        yield from _kubectl(asked)
        yield from _builder(asked)


def _missing(asked: Surroundings, program: str, why: str) -> Iterator[Finding]:
    if not asked.machine.has(program):
        yield Finding(f"`{program}` is not installed", why, f"install it: {INSTALL[program]}")


def _kubelogin(asked: Surroundings) -> Iterator[Finding]:
    said = asked.machine.output("kubelogin", "--version")
    # int128/kubelogin, of the same name, prints one line and knows nothing of Entra.
    if said is not None and "git hash" not in said:
        yield Finding(
            "`kubelogin` on PATH is not the one of Azure",
            "it knows none of the logins to AKS, so that the stack platform fails",
            f"install it before the other one: {INSTALL['kubelogin']}",
        )


def _kubectl(asked: Surroundings) -> Iterator[Finding]:
    wanted = asked.settings.cluster.kubernetes_version
    version = asked.machine.version("kubectl", "version", "--client")
    if version and abs(version[1] - int(wanted.split(".")[1])) > KUBECTL_SKEW:
        yield warning(
            f"kubectl is version {'.'.join(map(str, version))}, the cluster {wanted}",
            why=f"Kubernetes supports {KUBECTL_SKEW} minor version of difference; commands may be refused or misread",
            fix=f"az aks install-cli --client-version {wanted if wanted.count('.') == 2 else f'{wanted}.0'}",
        )


def _builder(asked: Surroundings) -> Iterator[Finding]:
    settings = asked.settings
    if not settings.opik.enabled or settings.images.opik != "build":
        return
    yield from _missing(asked, "git", "images are built from the source of Opik")
    registry = f"{settings.azure_names.container_registry}.azurecr.io"
    if problem := asked.machine.builder(settings.images.builder, registry):
        yield Finding(
            problem.message, "Opik's images cannot be built, and the deployment stops before network", problem.fix
        )
