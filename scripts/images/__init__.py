"""Every container image of the platform in the environment's own registry: built, imported, locked by digest.

Where to look:

- what is needed: `desired`, from pinned lists that `upstream`, `pins` and `evidence` keep current and `charts/` reads;
- how it is made: `recipes` from `sources/` and `dockerfile/`, by `builders/` and `importers/`; `work` and `schedule`
  run them, `attestation` and `verification` say what was made, `admission` what may be deployed;
- what there is: `registry/` speaks to it, `lock` and `shared_lock` record it, `inspection`, `environment_images` and
  `report` compare, `prune` deletes.
"""
