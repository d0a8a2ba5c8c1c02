"""What brings a published image into the environment's registry: Azure itself, skopeo, crane, or a copy by hand."""
