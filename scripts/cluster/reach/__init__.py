"""The ways to a cluster's API: this machine's network, Tailscale, a jump host, or `az aks command invoke`."""
