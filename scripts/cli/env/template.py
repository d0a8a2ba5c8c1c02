"""The environment file that `llmctl env new` writes."""

TEMPLATE = """\
# yaml-language-server: $schema=schema.json
# Every key, its default and its meaning: docs/reference/environment.md. Check: llmctl env check
name: {name}

azure:
  subscription_id: {subscription}
  region: {region}{zones}

{state}

# Parent of chat.…, api.…, opik.… and grafana.…; point the four names at the public address after the first deployment.
domain: {domain}

{group}

# What people write in the chat stays out of traces; gateway.trace_chats: true shows it to everybody in this group.
{opik}

{operators}

ingress:
  mode: nginx # or application-gateway, with a block of that name
  acme_email: {email}
  acme_issuer: production # staging while you try things: Let's Encrypt limits certificates per week

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

# What the platform serves; weights and cache are compared with the GPU's memory.
models:
  - name: llama3.1-8b
    engine: ollama
    id: llama3.1:8b
    pool: t4
    quantization: q4
    weights_gib: 4.6
    kv_cache_kib_per_token: 128
  - name: qwen2-5-7b
    engine: vllm
    id: Qwen/Qwen2.5-7B-Instruct-AWQ
    revision: b25037543e9394b818fdfca67ab2a00ecc7dd641
    pool: t4
    quantization: awq
    weights_gib: 5.2
    context_tokens: 16384
    kv_cache_kib_per_token: 56
"""
