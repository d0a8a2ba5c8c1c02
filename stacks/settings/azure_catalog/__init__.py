"""Facts about Azure that the rules need: sizes of VMs and PostgreSQL, regions, what AKS reserves of a node."""
