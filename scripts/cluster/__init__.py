"""The cluster of one environment: kubectl, logs, Jobs."""
