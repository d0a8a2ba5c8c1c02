"""The environment file that `llmctl env new` writes."""

TEMPLATE = """\
# yaml-language-server: $schema=schema.json
# Every key, its default and its meaning: docs/reference/environment.md. Check: llmctl env check
name: {name}

azure:
  subscription_id: {subscription}
  region: {region}{zones}

{state}

{reached}
{group}

# What people write in the chat stays out of traces; gateway.trace_chats: true shows it to everybody in this group.
{opik}

{operators}

cluster:
  tier: Free # Standard for an uptime guarantee
  gpu_pools:
    t4:
      vm_size: Standard_NC4as_T4_v3
      priority: spot # regular for nodes that Azure does not take back; quotas are separate
      min_nodes: 0 # no GPU is paid for while no model is used
      max_nodes: 2

disks: # they outlive the cluster; they can grow but never shrink
  redundancy: {redundancy}
  mysql_gib: 32
  clickhouse_gib: 128
  minio_gib: 64

database:
  sku: B_Standard_B2s # GP_Standard_D2ds_v5 for production
  storage_gib: 32
  # geo_redundant_backup: true # decided once: cannot be changed on a server that exists

# What the platform serves: a name of helm/models.yaml is enough; `llmctl models fit` shows what else runs here.
models:
  - name: llama3.1-8b
  - name: qwen2-5-7b
    revision: b25037543e9394b818fdfca67ab2a00ecc7dd641
    context_tokens: 16384
"""

PUBLIC = """\
# Parent of chat.…, api.…, opik.… and grafana.…; point the four names at the public address after the first deployment.
domain: {domain}

ingress:
  mode: nginx # or application-gateway, with a block of that name
  acme_email: {email}
  acme_issuer: production # staging while you try things: Let's Encrypt limits certificates per week
"""

PRIVATE = """\
# Nothing of it answers on the internet: docs/how-to/private-access.md.
exposure: private
domain: {zone} # the private zone, parent of chat.…, api.…, opik.… and grafana.…

private_access:
  nameserver: coredns # or resolver, Azure's own, for clients outside the network; none where yours knows the zone
  certificates: internal-ca # or letsencrypt-dns, or vault{tailscale}
"""
