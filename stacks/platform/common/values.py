"""Chart values that only the stack knows: images, sizes by setting, and what other stacks hand on.

Everything fixed stands in `helm/<release>/values.yaml`. Arguments may be Terraform tokens, which pass through.
"""

from typing import Any

from stacks.platform.components.gpu.nodes import WHOLE_CARDS, sharing_configs
from stacks.settings import Settings
from stacks.settings.network import IngressMode

from .accounts import VAULT_READER, identity_annotations
from .external_secrets import WRITTEN_BY_USERS, deliveries, formats
from .images import deployed_images
from .timeouts import front_door

AZURE = "service.beta.kubernetes.io/azure"


def ingress_class(settings: Settings) -> str:
    """Ingress class of the chosen controller.

    AGIC's annotation writes it with a slash, which `ingressClassName` does not allow.
    """
    return "nginx" if settings.ingress.mode is IngressMode.NGINX else "azure-application-gateway"


def cluster_issuer(settings: Settings) -> str:
    """Name of the issuer that certificates of this environment come from."""
    return f"letsencrypt-{settings.ingress.acme_issuer}"


def cert_manager(settings: Settings, *, client_id: str, tenant_id: str) -> dict[str, Any]:
    """Values of cert-manager, whose account acts as the managed identity `client_id`."""
    images = deployed_images(settings)
    image = {name: images[f"cert-manager/{name}"].values() for name in _CERT_MANAGER_IMAGES}
    return {
        "image": image["controller"],
        "serviceAccount": {"annotations": identity_annotations(client_id, tenant_id)},
        **{component: {"image": image[component]} for component in _CERT_MANAGER_IMAGES if component != "controller"},
    }


_CERT_MANAGER_IMAGES = ("controller", "webhook", "cainjector", "acmesolver", "startupapicheck")


def external_secrets(settings: Settings) -> dict[str, Any]:
    """Values of the External Secrets Operator: one image for its three workloads."""
    image = {"image": deployed_images(settings)["external-secrets/operator"].values()}
    return {**image, "webhook": image, "certController": image}


def platform_secrets(
    settings: Settings, *, vault_uri: str, tenant_id: str, versions: dict[str, int], database_host: str
) -> dict[str, Any]:
    """Values of the own chart that connects the vault and delivers its secrets."""
    return {
        "store": {
            "vaultUrl": vault_uri,
            "tenantId": tenant_id,
            "serviceAccount": {"namespace": VAULT_READER.namespace, "name": VAULT_READER.name},
        },
        "versions": versions,
        "userSecrets": list(WRITTEN_BY_USERS),
        "deliveries": deliveries(settings),
        "formats": formats(settings, database_host=database_host),
    }


def platform_issuers(settings: Settings) -> dict[str, Any]:
    """Values of the own chart with the Let's Encrypt issuers."""
    return {"email": str(settings.ingress.acme_email), "ingressClassName": ingress_class(settings)}


def nginx_ingress(settings: Settings, *, public_ip_name: str, resource_group: str) -> dict[str, Any]:
    """Values of F5 NGINX: replicas, times, and the static address it takes by name from another resource group."""
    hop = front_door(settings)
    return {
        "controller": {
            "image": deployed_images(settings)["nginx-ingress/controller"].values(),
            "replicaCount": settings.ingress.nginx_replicas,
            "config": {"entries": {"proxy-read-timeout": f"{hop.silence_seconds}s"}},
            "lifecycle": {"preStop": {"sleep": {"seconds": hop.pre_stop_seconds}}},
            "terminationGracePeriodSeconds": hop.grace_seconds,
            "service": {
                "annotations": {
                    f"{AZURE}-pip-name": public_ip_name,
                    f"{AZURE}-load-balancer-resource-group": resource_group,
                },
            },
        }
    }


def nvidia_device_plugin(settings: Settings) -> dict[str, Any]:
    """Values of the device plugin, with a configuration per number of shares when a pool shares its cards."""
    image = {"image": deployed_images(settings)["nvidia-device-plugin/plugin"].values()}
    configs = sharing_configs(settings)
    return {**image, "config": {"map": configs, "default": WHOLE_CARDS}} if configs else image


def dcgm_exporter(settings: Settings) -> dict[str, Any]:
    """Values of the DCGM exporter."""
    return {"image": deployed_images(settings)["dcgm-exporter/exporter"].values()}
