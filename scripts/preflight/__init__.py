"""What would stop a deployment halfway, asked before anything is created."""
