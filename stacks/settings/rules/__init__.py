"""Rules that cross fields, by theme; each is a pure function of the sections that it names."""

from . import (
    access,
    azure,
    budget,
    chat,
    chat_variables,
    cloud_models,
    cluster,
    database,
    egress,
    engine_arguments,
    gpu_cards,
    gpu_room,
    images,
    ingress,
    keeping,
    llm_gateway,
    models,
    monitoring,
    network,
    opik,
    pools,
    private_access,
    serving,
    storage,
)
from .base import Finding, Rule, apply, sections

ALL: tuple[Rule, ...] = (
    *azure.RULES,
    *network.RULES,
    *egress.RULES,
    *access.RULES,
    *ingress.RULES,
    *private_access.RULES,
    *cluster.RULES,
    *models.RULES,
    *cloud_models.RULES,
    *engine_arguments.RULES,
    *gpu_cards.RULES,
    *gpu_room.RULES,
    *pools.RULES,
    *serving.RULES,
    *storage.RULES,
    *database.RULES,
    *chat.RULES,
    *chat_variables.RULES,
    *llm_gateway.RULES,
    *opik.RULES,
    *images.RULES,
    *monitoring.RULES,
    *budget.RULES,
    *keeping.RULES,
)
"""Every rule, in the order in which their errors are reported for one line of the file."""

__all__ = ["ALL", "Finding", "Rule", "apply", "sections"]
