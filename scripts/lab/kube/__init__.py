"""A real Kubernetes API on this machine, without a container engine: control plane, scheduler, simulated nodes."""
