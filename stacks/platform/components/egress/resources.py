"""The policies and the ConfigMaps with the roots, as Terraform resources."""

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1, ConfigMapV1Metadata

from constructs.terraform_literal import terraform_literal
from stacks.platform.common.egress import ROOTS, ROOTS_FILE, ROOTS_STORE
from stacks.platform.common.known_roots import known_roots, trust_store
from stacks.platform.common.releases import add_release
from stacks.platform.components.context import Context

from .policies import NAMESPACE, RELEASE, given_roots, policies


def add(context: Context) -> ITerraformDependable:
    """Add them; pods have to come afterwards, since only those that are made then are given anything."""
    settings, rules = context.settings, context.components.namespaces()
    company_roots = settings.trust.company_roots
    roots = known_roots(company_roots) if company_roots else ""
    files = [
        ConfigMapV1(
            context.scope,
            f"{ROOTS}-{name}",
            metadata=ConfigMapV1Metadata(name=ROOTS, namespace=context.namespaces[name].name),
            data={ROOTS_FILE: terraform_literal(roots)},
            binary_data={ROOTS_STORE: trust_store(roots)},
        )
        for name in given_roots(settings.trust, rules, bundled=settings.bundles_roots)
    ]
    return add_release(
        context.scope,
        RELEASE,
        namespace=NAMESPACE,
        computed_values=policies(settings, rules, roots=roots),
        depends_on=files,
    )
