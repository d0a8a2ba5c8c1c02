"""What makes GPUs schedulable and measurable: NVIDIA's device plugin and the DCGM exporter."""
