"""Programs that a machine lacks: fetched once per version, compared with pinned checksums, shared by all checkouts."""
