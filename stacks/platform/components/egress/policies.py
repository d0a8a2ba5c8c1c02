"""The admission policies by which every pod of the platform gets the proxy's variables and the roots.

One place instead of a value in every chart: third-party charts, Jobs and pods that operators make are among them.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import certifi

from stacks.platform.common.egress import ROOTS, ROOTS_FOLDER, ROOTS_VARIABLES, proxy_variables, reaches_internet
from stacks.platform.common.namespaces import NamespaceRules
from stacks.settings import Settings

RELEASE = "egress"
NAMESPACE = "kube-system"
"""The policies belong to the cluster; Helm's record of them lies here."""
PROXY_POLICY, ROOTS_POLICY = "egress-proxy", ROOTS


def trusted_roots(company_roots: Iterable[str]) -> str:
    """Return every root that pods believe, as PEM: the public authorities' (Mozilla's list) and the company's."""
    lines = Path(certifi.where()).read_text("utf-8").splitlines()
    public = "\n".join(line for line in lines if line and not line.startswith("#"))
    return "".join((public, "\n", *company_roots))


def given_roots(namespaces: Iterable[NamespaceRules]) -> list[str]:
    """Return the namespaces whose pods are given the roots: some of them reach the internet."""
    return sorted(rules.name for rules in namespaces if reaches_internet(rules.traffic))


def policies(settings: Settings, namespaces: Sequence[NamespaceRules], *, roots: str) -> dict[str, Any]:
    """Values of the own chart; `roots` is what the ConfigMaps hold, empty where there are none."""
    found = {}
    if variables := proxy_variables(settings):
        # In namespaces without a way out, too: AKS would name a proxy for HTTP there, which stays in the cluster.
        found[PROXY_POLICY] = {"namespaces": sorted(rules.name for rules in namespaces), "variables": variables}
    if roots:
        found[ROOTS_POLICY] = {
            "namespaces": given_roots(namespaces),
            "variables": dict(ROOTS_VARIABLES),
            "mount": {"configMap": ROOTS, "folder": ROOTS_FOLDER},
        }
    return {"policies": {name: policy | {"mark": _mark(policy, roots)} for name, policy in found.items()}}


def _mark(policy: dict[str, Any], roots: str) -> str:
    given = json.dumps([policy["variables"], roots if "mount" in policy else ""], sort_keys=True)
    return hashlib.sha256(given.encode()).hexdigest()[:12]
