"""The ingress controller of the mode `nginx`; in the mode `application-gateway` it is the cluster's AGIC add-on."""

from collections.abc import Mapping

from constructs import Construct

from stacks.common.outputs import NetworkOutputs
from stacks.platform.common import values
from stacks.platform.common.namespace_bounds import Namespace
from stacks.platform.common.namespaces import INGRESS
from stacks.platform.common.releases import add_release
from stacks.settings import Settings


def add_nginx(scope: Construct, settings: Settings, spaces: Mapping[str, Namespace], address: NetworkOutputs) -> None:
    """Add F5 NGINX on the environment's static address."""
    namespace = spaces[INGRESS]
    add_release(
        scope,
        "nginx-ingress",
        namespace=namespace.name,
        variants=("ha",) if settings.ingress.nginx_replicas > 1 else (),
        computed_values=values.nginx_ingress(
            settings, public_ip_name=address.public_ip_name, resource_group=address.resource_group_name
        ),
        # Its custom resources are off, and Helm would never upgrade their definitions.
        skip_crds=True,
        depends_on=namespace.bounds,
    )
