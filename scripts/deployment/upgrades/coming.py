"""Which upgrades an environment has before it, in the order of their days, each with what comes first."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from scripts.terraform.deployed.versions import PROGRAMS, Versions
from stacks.platform.common.catalogue import images
from stacks.platform.components.enabled import enabled_components
from stacks.settings import Settings
from stacks.settings.cluster import ClusterSettings
from stacks.settings.database import DatabaseSettings

from .lifetimes import Lifetimes

MIGRATE = ("Open WebUI", "LiteLLM")
"""Programs that migrate their database as they start; nothing takes a migration back."""


@dataclass(frozen=True)
class Upgrade:
    """Something that has to be, or can be, raised."""

    what: str
    """With its version: `Kubernetes 1.36`."""
    why: str
    steps: tuple[str, ...]
    """Commands and edits, in order; the backup first where there is no way back."""
    by: date | None = None
    """Last day on which it may still be as it is; None where nothing ends."""


def coming(settings: Settings, deployed: Versions, known: Lifetimes) -> Sequence[Upgrade]:
    """Return all of them, those that end first; `deployed` is what runs, the file counts where nothing does."""
    found = [
        *_kubernetes(settings.name, settings.cluster, deployed, known),
        *_postgresql(settings.name, settings.database, deployed, known),
        *_sizes(settings.name, settings.cluster, known),
        *_programs(settings, deployed),
        *(Upgrade("Certificates", text, (), day) for day, text in known.notices.items()),
    ]
    return sorted(found, key=lambda one: (one.by is not None, one.by or date.min))


def _kubernetes(environment: str, cluster: ClusterSettings, deployed: Versions, known: Lifetimes) -> Iterator[Upgrade]:
    running = deployed.services.get("Kubernetes", cluster.kubernetes_version)
    minor = ".".join(running.split(".")[:2])
    long_term = cluster.long_term_support
    ends = (known.kubernetes_long_term if long_term else known.kubernetes).get(minor)
    plan = "with long-term support " if long_term else ""
    if ends is None:
        yield Upgrade(f"Kubernetes {minor}", "its last day of support at AKS is not in the list", (_renew(),))
        return
    major, _, number = minor.partition(".")
    following = f"{major}.{int(number) + 1}"
    yield Upgrade(
        f"Kubernetes {minor}",
        f"AKS supports it {plan}until that day; one minor version at a time, no way back",
        (
            f"llmctl backup create {environment}",
            f'environments/{environment}.yaml: cluster.kubernetes_version: "{following}"',
            f"llmctl preflight {environment} aks",
            f"llmctl deploy {environment} aks",
        ),
        ends,
    )


def _postgresql(
    environment: str, database: DatabaseSettings, deployed: Versions, known: Lifetimes
) -> Iterator[Upgrade]:
    running = deployed.services.get("PostgreSQL", database.version)
    ends = known.postgresql.get(running)
    newest = max(known.postgresql, key=int)
    if ends is None:
        yield Upgrade(f"PostgreSQL {running}", "its last day of support at Azure is not in the list", (_renew(),))
    elif running != newest:
        yield Upgrade(
            f"PostgreSQL {running}",
            "Azure supports it until that day; a major version is raised in place, minutes without chat and LLM"
            " gateway, no way back",
            (
                f"llmctl backup create {environment}",
                f'environments/{environment}.yaml: database.version: "{newest}"',
                f"llmctl deploy {environment} database",
            ),
            ends,
        )
    else:
        yield Upgrade(f"PostgreSQL {running}", "the newest that Azure has", (), ends)


def _sizes(name: str, cluster: ClusterSettings, known: Lifetimes) -> Iterator[Upgrade]:
    pools: Mapping[str, str] = {
        "system_pool": cluster.system_pool.vm_size,
        "workload_pool": cluster.workload_pool.vm_size,
        **{f"gpu_pools.{pool}": one.vm_size for pool, one in cluster.gpu_pools.items()},
    }
    for pool, size in pools.items():
        if ends := known.size_ends(size):
            yield Upgrade(
                size,
                f"Azure retires it on that day; cluster.{pool} runs on it",
                (f"environments/{name}.yaml: cluster.{pool}.vm_size: another", f"llmctl deploy {name} aks"),
                ends,
            )


def _programs(settings: Settings, deployed: Versions) -> Iterator[Upgrade]:
    pinned = enabled_components(settings).images(images())
    for image, program in PROGRAMS.items():
        running = deployed.programs.get(program)
        if running is None or image not in pinned or not _older(running, pinned[image].tag):
            continue
        newer = pinned[image].tag
        if program == "Opik":
            steps: tuple[str, ...] = (f"llmctl opik upgrade {newer} {settings.name}",)
            why = f"this checkout has {newer}; the command backs up its disks first and follows the migrations"
        elif program in MIGRATE:
            steps = (f"llmctl backup create {settings.name}", f"llmctl deploy {settings.name}")
            why = f"this checkout has {newer}, which migrates its database: no way back but a restore"
        else:
            steps, why = (f"llmctl deploy {settings.name}",), f"this checkout has {newer}; it can go back"
        yield Upgrade(f"{program} {running}", why, steps)


def _older(one: str, other: str) -> bool:
    """Whether a tag is an older version than another; what is no version is never older."""
    numbers = [tuple(map(int, re.findall(r"\d+", tag.split("-")[0]))) for tag in (one, other)]
    return all(numbers) and numbers[0] < numbers[1]


def _renew() -> str:
    return "take a newer release of this project, whose list knows more"
