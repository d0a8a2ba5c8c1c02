"""The admission policies by which every pod of the platform gets the proxy's variables and the roots.

One place instead of a value in every chart: third-party charts, Jobs and pods that operators make are among them.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from stacks.platform.common.egress import (
    ROOTS,
    ROOTS_FOLDER,
    ROOTS_LABEL,
    ROOTS_VARIABLES,
    proxy_variables,
    reaches_internet,
)
from stacks.platform.common.host_calls import calls_hosts
from stacks.platform.common.namespaces import NamespaceRules
from stacks.settings import Settings
from stacks.settings.egress import TrustSettings

RELEASE = "egress"
NAMESPACE = "kube-system"
"""The policies belong to the cluster; Helm's record of them lies here."""
PROXY_POLICY, ROOTS_POLICY, BUNDLE_POLICY = "egress-proxy", ROOTS, "bundled-roots"
"""The first two name their namespaces; the third is for those with a label, an operator's own among them."""


def given_roots(trust: TrustSettings, namespaces: Iterable[NamespaceRules], *, bundled: bool) -> list[str]:
    """Return the namespaces whose pods are given the company's roots by Terraform: some of them reach the internet.

    Where trust-manager keeps the roots, it writes these among them.
    """
    if not trust.company_roots:
        return []
    return sorted(
        rules.name
        for rules in namespaces
        if reaches_internet(rules.traffic) and not (bundled and calls_hosts(rules.traffic))
    )


def policies(settings: Settings, namespaces: Sequence[NamespaceRules], *, roots: str) -> dict[str, Any]:
    """Values of the own chart; `roots` is what Terraform knows of what the ConfigMaps hold."""
    found: dict[str, dict[str, Any]] = {}
    if variables := proxy_variables(settings):
        # In namespaces without a way out, too: AKS would name a proxy for HTTP there, which stays in the cluster.
        found[PROXY_POLICY] = {"namespaces": sorted(rules.name for rules in namespaces), "variables": variables}
    given = {"variables": dict(ROOTS_VARIABLES), "mount": {"configMap": ROOTS, "folder": ROOTS_FOLDER}}
    if named := given_roots(settings.trust, namespaces, bundled=settings.bundles_roots):
        found[ROOTS_POLICY] = {"namespaces": named, **given}
    if settings.bundles_roots:
        # Another domain is another root, which pods read as they start.
        found[BUNDLE_POLICY] = {"label": ROOTS_LABEL, **given}
    beside = {BUNDLE_POLICY: [settings.domain]}
    return {
        "policies": {
            name: policy | {"mark": _mark(policy, roots, *beside.get(name, ()))} for name, policy in found.items()
        }
    }


def _mark(policy: dict[str, Any], roots: str, *beside: str) -> str:
    given = json.dumps([policy["variables"], roots if "mount" in policy else "", *beside], sort_keys=True)
    return hashlib.sha256(given.encode()).hexdigest()[:12]
