"""The ingress controller F5 NGINX, where no Application Gateway stands in its place."""
