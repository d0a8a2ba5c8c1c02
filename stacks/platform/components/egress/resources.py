"""The policies and the ConfigMaps with the roots, as Terraform resources."""

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes.config_map_v1 import ConfigMapV1, ConfigMapV1Metadata

from constructs.terraform_literal import terraform_literal
from stacks.platform.common.egress import ROOTS, ROOTS_FILE
from stacks.platform.common.releases import add_release
from stacks.platform.components.context import Context

from .policies import NAMESPACE, RELEASE, given_roots, policies, trusted_roots


def add(context: Context) -> ITerraformDependable:
    """Add them; pods have to come afterwards, since only those that are made then are given anything."""
    company_roots = context.settings.trust.company_roots
    roots = trusted_roots(company_roots) if company_roots else ""
    rules = context.components.namespaces()
    files = [
        ConfigMapV1(
            context.scope,
            f"{ROOTS}-{name}",
            metadata=ConfigMapV1Metadata(name=ROOTS, namespace=context.namespaces[name].name),
            data={ROOTS_FILE: terraform_literal(roots)},
        )
        for name in (given_roots(rules) if roots else ())
    ]
    return add_release(
        context.scope,
        RELEASE,
        namespace=NAMESPACE,
        computed_values=policies(context.settings, rules, roots=roots),
        depends_on=files,
    )
