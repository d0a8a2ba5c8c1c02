"""What each stack publishes to others and to people: the contract between the stacks.

Field names are the names of the Terraform outputs, so renaming one is a change of contract. Values are plain or
Terraform tokens; none is a secret.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityOutputs:
    """The Entra application that people and programs log in with."""

    client_id: str
    """Client (application) id: audience of every token."""
    application_id: str
    """Resource id of the application in azuread's form `/applications/<object id>`."""
    access_group_object_id: str
    """Entra group whose members may use the platform."""
    opik_access_group_object_id: str
    """Entra group whose members may see the traces in Opik; the access group where there is none of its own."""
    api_scope: str
    """Scope that programs ask for to get a token of their user, `api://<client id>/access`."""
    one_way: dict[str, str]
    """Deployed values that cannot go back, by key of the environment file (`stacks.common.one_way_record`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisksOutputs:
    """Disks and file share that outlive the cluster."""

    resource_group_name: str
    resource_group_id: str
    """Scope for role assignments on the disks: Azure deletes none at the locked disks themselves."""
    mysql_disk_id: str
    clickhouse_disk_id: str
    zookeeper_disk_id: str
    minio_disk_id: str
    redis_disk_id: str
    storage_account_id: str
    """Account of the file share for chat uploads."""
    storage_account_name: str
    chat_uploads_share_name: str
    model_store_group_name: str
    """Resource group of the shares for weights; empty, as the four below, unless engines share a store."""
    model_store_account_id: str
    model_store_account_name: str
    ollama_models_share_name: str
    vllm_models_share_name: str
    sizes_gib: dict[str, int]
    """Size per disk and of the file share."""
    backup_vault_id: str
    backup_sets_group_name: str
    """Resource group of the snapshots of backup sets, and of their manifests' account."""
    backup_sets_account_id: str
    backup_sets_account_name: str
    backup_sets_container_name: str
    one_way: dict[str, str]
    """As in the stack `identity`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcrOutputs:
    """The environment's container registry."""

    resource_group_id: str
    registry_id: str
    registry_name: str
    login_server: str
    one_way: dict[str, str]
    """As in the stack `identity`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseOutputs:
    """PostgreSQL server and Key Vault."""

    resource_group_name: str
    resource_group_id: str
    server_id: str
    server_name: str
    server_fqdn: str
    administrator_login: str
    vault_id: str
    vault_name: str
    vault_uri: str
    tenant_id: str
    """Entra tenant that the vault trusts."""
    secret_versions: dict[str, int]
    """Version of every generated secret, by its name in the vault."""
    one_way: dict[str, str]
    """As in the stack `identity`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressOutputs:
    """The public addresses."""

    resource_group_name: str
    resource_group_id: str
    public_ip_id: str
    public_ip_name: str
    """Static address of the ingress; NGINX takes it by this name."""
    public_ip_address: str
    public_fqdn: str
    """Azure's own name of that address, the target for CNAME records of the domain."""
    outbound_ip_id: str
    outbound_ip_address: str
    """Static address that the nodes have on the internet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateAddressOutputs(AddressOutputs):
    """The addresses of an environment with private access: those of a public ingress are empty texts."""

    private_address: str
    """Fixed address of the ingress in the network."""
    nameserver_address: str
    """Address that answers for the zone; empty where nobody is known to."""
    zone_name: str
    """The private DNS zone, which is the domain."""
    zone_group_name: str
    """Its resource group."""
    ca_certificate_secret: str
    """Name in the vault of the internal CA, kept for the next cluster; empty without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOutputs:
    """Virtual network and ingress."""

    resource_group_name: str
    resource_group_id: str
    vnet_id: str
    nodes_subnet_id: str
    gateway_subnet_id: str
    endpoints_subnet_id: str
    application_gateway_id: str
    """Empty unless the ingress mode is `application-gateway`."""
    firewall_policy_id: str
    """Rules of that gateway's web application firewall; empty without one."""
    one_way: dict[str, str]
    """As in the stack `identity`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateNetworkOutputs(NetworkOutputs):
    """The network of an environment with private access."""

    ingress_subnet_id: str
    """Subnet that holds the fixed addresses of the ingress and, in the cluster, of the nameserver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AksOutputs:
    """The cluster and the identities of its workloads."""

    resource_group_name: str
    cluster_id: str
    cluster_name: str
    api_url: str
    """HTTPS address of the Kubernetes API."""
    ca_certificate: str
    """Certificate of the cluster's authority, base64; public."""
    oidc_issuer_url: str
    node_resource_group_name: str
    external_secrets_client_id: str
    """Client id of the identity that reads the vault for External Secrets."""
    cert_manager_client_id: str
    """Client id of cert-manager's identity, for DNS-01."""
    databases_client_id: str
    """Client id of the identity that reads the database administrator's password, and nothing else; empty without
    databases."""
    certificate_keeper_client_id: str
    """Client id of the identity that keeps certificates in the vault; empty while the issuer is staging."""
    grafana_client_id: str
    """Client id of the identity with which Grafana reads Azure's own metrics; empty without monitoring."""
    metrics_url: str
    """Where the metrics that Azure Monitor keeps are asked for; empty unless it keeps them."""
    log_analytics_workspace_id: str
    """Where the logs of the cluster go."""
    one_way: dict[str, str]
    """As in the stack `identity`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudAksOutputs(AksOutputs):
    """The cluster of an environment that uses Azure OpenAI without a key."""

    cloud_models_client_id: str
    """Client id of the identity with which the LLM gateway logs in there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformOutputs:
    """What stands in the cluster, and what people still have to do outside of it."""

    namespaces: list[str]
    ingress_class: str
    """Class for the `ingressClassName` of an Ingress."""
    cluster_issuer: str
    """Issuer for the annotation `cert-manager.io/cluster-issuer` of an Ingress."""
    public_ip_address: str
    """Address that the ingress answers on."""
    dns_records: dict[str, str]
    """CNAME records that the domain needs: host name to target."""
    images: dict[str, str]
    """Every image that runs, by its name in `helm/images.yaml`, as pods name it."""
    images_serial: int
    """Serial of the shared image lock that they come from; 0 where none of them does."""
    one_way: dict[str, str]
    """As in the stack `identity`."""
