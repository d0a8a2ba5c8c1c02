"""Ways from this machine into the cluster."""
