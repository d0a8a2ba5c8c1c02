"""What makes GPUs schedulable and measurable."""
