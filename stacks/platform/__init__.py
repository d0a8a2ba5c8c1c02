"""Everything inside the cluster."""
