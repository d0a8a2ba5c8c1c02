"""The ingress controller."""
