"""What an environment costs a month: what Azure bills of its stacks, at the prices of its region or of a dated list."""
