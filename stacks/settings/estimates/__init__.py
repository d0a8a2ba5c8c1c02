"""What is computed from settings before anything is deployed: nodes that the pods need, minutes of a cold start."""
