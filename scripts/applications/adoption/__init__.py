"""Take over what an installation made by hand holds: databases, uploads, keys, models, disks."""
