"""The process that Terraform starts in a provider's place.

Where to look, from Terraform's side to the cloud's:

- the protocol: `protocol/`, in which `server` and `fork_server` start processes, `rpc` and `messages` speak, `values`
  and `served` encode, `configuration` fills in what the protocol leaves out;
- what every provider does: `provider`, with `planning` and `replacement`, `computed` values, `writes` and `faults`;
- what one service adds: `service` is the seam; `azure/`, `entra_service` and `cluster_service` fill it, `rules/` and
  `pod_security` say what is refused, `secret_store`, `passwords` and `templates` help.

Everything here is imported at every start of every provider, so it imports only what a start needs.
"""
