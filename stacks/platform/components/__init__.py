"""One folder for each thing in the cluster."""
