"""Opik's optional parts against what the environment has."""

from collections.abc import Iterator

from ..cluster import ClusterSettings
from ..images import ImageSettings
from ..opik import OpikSettings
from .base import Finding


def guardrails_have_a_pool_and_an_image(
    opik: OpikSettings, cluster: ClusterSettings, images: ImageSettings
) -> Iterator[Finding]:
    """The guardrails service runs on a pool of the file, and its image is built, since nobody publishes it."""
    pool = opik.guardrails_pool
    if pool is None:
        return
    pools = cluster.gpu_pools
    if pool not in pools:
        known = f"; the pools are {', '.join(sorted(pools))}" if pools else "; add it there"
        yield Finding(("opik", "guardrails_pool"), f"names a pool that cluster.gpu_pools does not have{known}")
    if images.opik != "build":
        yield Finding(
            ("opik", "guardrails_pool"), "needs images.opik: build, since the guardrails image is not published"
        )


RULES = (guardrails_have_a_pool_and_an_image,)
