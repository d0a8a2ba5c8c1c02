"""All known problems, in the order of the page of symptoms."""

from . import deliveries, egress, engines, nodes, outside, pods, scheduling, storage
from .problem import Problem

PROBLEMS: tuple[Problem, ...] = (
    outside.LOGIN,
    outside.NO_ROLE,
    outside.UNREACHABLE,
    outside.STOPPED,
    outside.FAILED,
    outside.TAINTED,
    deliveries.PENDING,
    scheduling.QUOTA,
    scheduling.AZURE_QUOTA,
    scheduling.CAPACITY,
    scheduling.TAINT,
    scheduling.NO_ROOM,
    engines.GAVE_UP,
    nodes.NO_PLUGIN,
    nodes.NO_GPU,
    nodes.GONE,
    nodes.CLOCK,
    pods.PULL,
    pods.NO_IMAGE,
    pods.MIGRATION,
    pods.CRASH,
    pods.MEMORY,
    pods.EVICTIONS,
    pods.CONNECTIONS,
    storage.UNBOUND,
    storage.ATTACH,
    storage.FULL,
    deliveries.SECRET,
    deliveries.CERTIFICATE,
    deliveries.LATE,
    egress.OLD_EGRESS,
)
