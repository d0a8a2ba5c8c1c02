"""Every check, in the order in which people read them; the page of checks is made of it."""

from stacks.settings import Settings

from . import directory, tools
from .azure import (
    account,
    free_names,
    kubernetes,
    machines,
    networks,
    permissions,
    policies,
    postgresql,
    providers,
    quota,
    regions,
    registry_rules,
    storage,
)
from .checks import Check
from .internet import domain, models, sources, trust
from .run import LOGIN

_ALL = ("identity", "disks", "acr", "database", "address", "network", "aks", "platform")
_AZURE = ("disks", "acr", "database", "address", "network", "aks")


def _manages_identity(settings: Settings) -> bool:
    return settings.identity.manage


def _encrypts_at_host(settings: Settings) -> bool:
    return settings.cluster.host_encryption


def _has_models(settings: Settings) -> bool:
    return bool(settings.models)


CHECKS: tuple[Check, ...] = (
    Check(
        name="tools",
        looks_at="Terraform, `az`, `git`, Azure's `kubelogin`, `kubectl` near the cluster's version, an image builder",
        why="the deployment stops where it first needs one",
        stacks=_ALL,
        look=tools.look,
    ),
    Check(
        name=LOGIN,
        looks_at="that somebody is logged in, the login is valid and sees the subscription; its state and offer",
        why="every stack fails with its first request",
        stacks=_ALL,
        look=account.look,
    ),
    Check(
        name="permissions",
        looks_at="the login's actions on the subscription against those of every resource, `roleAssignments/write`"
        " among them; on `cluster.disk_encryption_set_id`; its data actions on the state's container; with"
        " `operators.cluster_access: command-invoke`, those of `az aks command invoke`",
        why="Azure refuses resources in the middle of a stack (403)",
        stacks=_AZURE,
        look=permissions.look,
    ),
    Check(
        name="directory",
        looks_at="a program's permissions of Microsoft Graph, or a person's roles and what the tenant lets users make",
        why="Entra refuses application, group, assignment or consent",
        stacks=("identity",),
        look=directory.look,
        concerns=_manages_identity,
    ),
    Check(
        name="resource providers",
        looks_at="that those of the stacks are registered, or that the login may register them",
        why="Azure refuses their resources (MissingSubscriptionRegistration)",
        stacks=_AZURE,
        look=providers.look,
    ),
    Check(
        name="features",
        looks_at="that `Microsoft.Compute/EncryptionAtHost` is registered, with `cluster.host_encryption`",
        why="AKS refuses the first node pool",
        stacks=("aks",),
        look=providers.look_at_features,
        concerns=_encrypts_at_host,
    ),
    Check(
        name="regions",
        looks_at="`azure.region`, `azure.zones`, `registry.geo_replicas` and `backups.copy_to_region` against what the"
        " subscription has",
        why="Azure refuses every resource there",
        stacks=_AZURE,
        look=regions.look,
    ),
    Check(
        name="machines",
        looks_at="each pool's size in its zones, with restrictions of the subscription; spot, encryption at the host,"
        " processor, room for an ephemeral disk",
        why="AKS refuses the pool after everything before it is made",
        stacks=("aks",),
        look=machines.look,
    ),
    Check(
        name="quota",
        looks_at="vCPU of each family, of all spot machines (`lowPriorityCores`) and in all, against the pools at their"
        " smallest and largest; what the environment's own cluster takes already counts as free",
        why="nodes are refused and pods stay Pending",
        stacks=("aks",),
        look=quota.look,
    ),
    Check(
        name="storage",
        looks_at="disks, premium file shares and storage accounts of the redundancy that `disks.redundancy` asks for",
        why="the stack disks stops",
        stacks=("disks",),
        look=storage.look,
    ),
    Check(
        name="PostgreSQL",
        looks_at="whether the subscription may make servers in the region; size, zones, standby, version, geo-redundant"
        " backups",
        why="Azure refuses the server after the vault is made",
        stacks=("database",),
        look=postgresql.look,
    ),
    Check(
        name="names",
        looks_at="registry, Key Vault, PostgreSQL server and storage accounts: taken by others, soft-deleted, or"
        " left by a lost state",
        why="Azure refuses them, or brings back what was deleted",
        stacks=("disks", "acr", "database"),
        look=free_names.look,
    ),
    Check(
        name="networks",
        looks_at="`network.address_space`, `pod_cidr` and `service_cidr` against peered networks, those that"
        " `private_client_ranges` lie in, and ranges on premises",
        why="networks cannot be peered, or answers do not find their way back",
        stacks=("network", "aks"),
        look=networks.look,
    ),
    Check(
        name="Kubernetes version",
        looks_at="`cluster.kubernetes_version` against what AKS offers in the region, with its support plan",
        why="AKS refuses the cluster",
        stacks=("aks",),
        look=kubernetes.look,
    ),
    Check(
        name="registry rules",
        looks_at="the number of `operators.ip_ranges` against the address rules that the registry takes",
        why="Azure refuses the registry",
        stacks=("acr",),
        look=registry_rules.look,
        concerns=registry_rules.concerns,
    ),
    Check(
        name="policies",
        looks_at="assignments of Azure Policy that deny pods, and the namespaces that they leave out",
        why="pods never start",
        stacks=("platform",),
        look=policies.look,
        concerns=policies.concerns,
    ),
    Check(
        name="DNS",
        looks_at="that the domain exists, is delegated to servers that answer for it, and no host has an IPv6 address",
        why="nobody finds the platform, and no certificate is issued",
        stacks=("address", "platform"),
        look=domain.look_at_delegation,
    ),
    Check(
        name="DNS zone in Azure",
        looks_at="that a zone of the subscription for the domain is the one that its parent delegates to",
        why="records in that zone are found by nobody",
        stacks=("address", "platform"),
        look=domain.look_at_azure_zone,
    ),
    Check(
        name="CAA",
        looks_at="whether the CAA records at or above each host allow Let's Encrypt, by HTTP",
        why="no certificate is issued",
        stacks=("platform",),
        look=domain.look_at_authorities,
    ),
    Check(
        name="models",
        looks_at="each model's repository and revision on Hugging Face, access to gated ones with `HF_TOKEN`, each tag"
        " in Ollama's registry",
        why="engines never get ready",
        stacks=("platform",),
        look=models.look,
        concerns=_has_models,
    ),
    Check(
        name="egress proxy",
        looks_at="that the proxy of `network.egress_proxy` answers, as far as this machine can tell",
        why="nodes pull no image, and AKS gives the cluster up after half an hour",
        stacks=("aks",),
        look=trust.look_at_proxy,
        concerns=lambda settings: settings.network.egress_proxy is not None,
    ),
    Check(
        name="company roots",
        looks_at="how long the certificates of `trust.company_roots` hold",
        why="pods and nodes refuse what they signed",
        stacks=("aks", "platform"),
        look=trust.look_at_roots,
        concerns=lambda settings: bool(settings.trust.company_roots),
    ),
    Check(
        name="sources",
        looks_at="that this machine reaches the registries of images and charts, GitHub and Terraform's registry",
        why="images or charts cannot be fetched",
        stacks=_ALL,
        look=sources.look,
    ),
)
