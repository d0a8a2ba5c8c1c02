"""What the components share, a module per noun and no layers, so flat.

Where to look:

- pins: `catalogue` reads `helm/` through `pin_file`; `releases`, `variants`, `images` and `image_lock` deploy from it;
- a namespace: `namespaces` and `namespace_bounds`; its pods: `parts`, `pods`, `restricted`, `rights`, `accounts`,
  `scraping`;
- traffic: `connections` and `traffic` inside, `egress` outwards, `internal_address`, and `timeouts` all the way;
- ingress: `ingress_mode`, `ingress_annotations` and `entra_login`;
- secrets and databases: `external_secrets`, `secret_marks`, `databases`.
"""
