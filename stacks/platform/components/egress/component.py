"""What the rest of the code has to know of the policies that give pods proxy and roots."""

from stacks.platform.components.base import Component

COMPONENT = Component(
    package=__package__,
    position=1,
    page="how-to/egress-proxy.md",
    summary="the policies that give pods the egress proxy and the roots that they believe",
    enabled=lambda settings: (
        settings.network.egress_proxy is not None or bool(settings.trust.company_roots) or settings.bundles_roots
    ),
    charts=("egress",),
    before_pods=True,
)
