"""trust-manager and the bundle of roots, as Terraform resources."""

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1, ConfigMapV1Metadata

from constructs.terraform_literal import terraform_literal
from stacks.platform.common.egress import ROOTS_FILE
from stacks.platform.common.known_roots import known_roots
from stacks.platform.common.releases import add_release
from stacks.platform.common.variants import availability
from stacks.platform.components.certificates.names import NAMESPACE as SOURCES
from stacks.platform.components.context import Context

from .names import KNOWN, NAMESPACE, RELEASE
from .release import trust_manager, trusted_roots


def add(context: Context) -> ITerraformDependable:
    """Add them; return the bundle, which pods that mount it come after."""
    namespace, sources = context.namespaces[NAMESPACE], context.namespaces[SOURCES]
    known = ConfigMapV1(
        context.scope,
        KNOWN,
        metadata=ConfigMapV1Metadata(name=KNOWN, namespace=sources.name),
        data={ROOTS_FILE: terraform_literal(known_roots(context.settings.trust.company_roots))},
        depends_on=list(sources.bounds),
    )
    manager = add_release(
        context.scope,
        RELEASE,
        namespace=namespace.name,
        variants=availability(context.settings.cluster),
        computed_values=trust_manager(context.images),
        # cert-manager issues the certificate of its webhook.
        depends_on=[*namespace.bounds, *sources.bounds, *context.after("certificates")],
    )
    return add_release(
        context.scope,
        "trusted-roots",
        namespace=namespace.name,
        computed_values=trusted_roots(),
        depends_on=[known, manager],
    )
