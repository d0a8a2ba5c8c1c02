"""What a plan means to a reviewer: readable differences, what would be lost, what it would cost."""
