"""`llmctl domain`: the host names and the ingress that answers on them."""
