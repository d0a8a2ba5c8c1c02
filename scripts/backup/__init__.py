"""Backup sets: one consistent state of an environment's disks, database, uploads and secrets, with a manifest."""
