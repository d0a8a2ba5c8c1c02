"""Our own charts with the values that the stack passes, and what Helm renders of them."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from stacks.platform.common.catalogue import HELM, own_chart
from stacks.platform.components.certificates.kept import kept_of, kept_secrets
from stacks.platform.components.certificates.release import (
    issuer_of_kept,
    kept_certificates,
    platform_issuers,
    private_certificates,
)
from stacks.platform.components.cloud_models.release import cloud_egress
from stacks.platform.components.egress.policies import policies
from stacks.platform.components.enabled import enabled_components
from stacks.platform.components.image_policy.policy import image_policy
from stacks.platform.components.llm_gateway import release as gateway
from stacks.platform.components.monitoring import release as monitoring
from stacks.platform.components.monitoring.rights import operator_rights
from stacks.platform.components.opik import login, operator
from stacks.platform.components.private_dns.release import private_dns
from stacks.platform.components.secrets.release import platform_secrets
from stacks.platform.components.serving import scaling, vllm
from stacks.platform.components.serving.engines import vllm_engines
from stacks.platform.components.spill_over.release import spill_over
from stacks.platform.components.start.release import start_page
from stacks.platform.components.tailscale.release import router
from stacks.platform.components.trust.release import trusted_roots
from stacks.settings import Settings, parse_settings
from stacks.settings.private_access import TailscaleSettings
from stacks.settings.secrets.names import GeneratedSecret
from tests.support.llm_gateway.cloud_settings import cloud_settings
from tests.support.stacks.components import (
    components_with_images,
    images_of,
    with_images,
)

FOUND = shutil.which("helm")

VERSIONS = {secret.value: 1 for secret in GeneratedSecret}
OWN = sorted(folder.name for folder in HELM.iterdir() if own_chart(folder.name))


ENVIRONMENTS = Path(__file__).parents[2] / "environments"


def example(name: str) -> Settings:
    file = ENVIRONMENTS / f"valid.{name}.yaml"
    return parse_settings(file.read_text(), file.name)


PRIVATE, TAILNET = example("private_by_vpn"), example("private_with_tailscale")
BEHIND_PROXY = example("egress_proxy")
SEVERAL_POOLS = example("several_pools")


def private_certificates_values(settings: Settings) -> dict[str, Any]:
    return private_certificates(
        settings,
        images_of(settings),
        vault_uri="https://vault.vault.azure.net/",
        client_id="22222222-3333-4444-5555-666666666666",
        tenant_id="11111111-2222-3333-4444-555555555555",
    )


def helm(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(FOUND), *map(str, arguments)], capture_output=True, text=True, check=False)


def values_of(release: str, settings: Settings, versions: dict[str, int] | None = None) -> dict[str, Any]:
    wired: dict[str, Callable[[], dict[str, Any]]] = {
        "platform-issuers": lambda: platform_issuers(settings.ingress),
        "kept-certificates": lambda: kept_certificates(
            settings.ingress,
            images_of(settings),
            kept_secrets(with_production_certificates(settings).ingress, enabled_components(settings).hosts()),
            vault_uri="https://vault.vault.azure.net/",
            client_id="22222222-3333-4444-5555-666666666666",
            tenant_id="11111111-2222-3333-4444-555555555555",
        ),
        "kept-internal-ca": lambda: kept_certificates(
            settings.ingress,
            images_of(settings),
            kept_of(PRIVATE, ()),
            vault_uri="https://vault.vault.azure.net/",
            client_id="22222222-3333-4444-5555-666666666666",
            tenant_id="11111111-2222-3333-4444-555555555555",
            issuer=issuer_of_kept(PRIVATE),
        ),
        "private-dns": lambda: private_dns(TAILNET, images_of(settings)),
        "tailscale-router": lambda: router(TAILNET, TailscaleSettings()),
        "trusted-roots": trusted_roots,
        "private-certificates": lambda: private_certificates_values(PRIVATE),
        "valkey": lambda: login.sessions(settings.secrets, images_of(settings)),
        "opik-guardrails": lambda: operator.guardrails(images_of(settings), "t4"),
        "scaling": lambda: scaling.scaling(settings),
        "vllm": lambda: vllm.vllm(
            settings.cluster, settings.serving, images_of(settings), vllm_engines(settings.models, settings.cluster)[0]
        ),
        "spill-over": lambda: spill_over(SEVERAL_POOLS, images_of(SEVERAL_POOLS)),
        "start-page": lambda: start_page(*components_with_images(PRIVATE), {"index.html": "", "start.js": ""}),
        "serving-front": lambda: scaling.serving_proxy(*with_images(settings)),
        "egress": lambda: policies(BEHIND_PROXY, enabled_components(BEHIND_PROXY).namespaces(), roots="roots"),
        "cloud-egress": lambda: cloud_egress(
            cloud_settings().cloud_models,
            images_of(cloud_settings()),
            tenant_id="11111111-2222-3333-4444-555555555555",
        ),
        "image-policy": lambda: image_policy(
            images_of(settings), registry="example.azurecr.io", namespaces=("opik", "serving")
        ),
        "dashboards": lambda: monitoring.shown_dashboards(
            enabled_components(settings), subscription_id="subscription", resource_group="group", server="server"
        ),
        "monitors": lambda: monitoring.monitors(enabled_components(settings)),
        "litellm": lambda: gateway.litellm(*components_with_images(settings), database_host="pg.example.com"),
        "rights": lambda: operator_rights().values(),
        "platform-secrets": lambda: platform_secrets(
            enabled_components(settings),
            vault_uri="https://vault.vault.azure.net/",
            tenant_id="11111111-2222-3333-4444-555555555555",
            versions=VERSIONS if versions is None else versions,
            database_host="pg.example.com",
        ),
    }
    return wired[release]()


def with_production_certificates(settings: Settings) -> Settings:
    return settings.model_copy(update={"ingress": settings.ingress.model_copy(update={"acme_issuer": "production"})})


def render(release: str, wired: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "wired.json"
    file.write_text(json.dumps(wired))
    return helm("template", release, own_chart(release), "--values", file, "--namespace", "ns")


def objects_of(release: str, wired: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    result = render(release, wired, folder)
    assert result.returncode == 0, result.stderr
    return [document for document in YAML(typ="safe").load_all(result.stdout) if document]
