"""HCP Terraform and Terraform Enterprise: what an environment needs there, and bringing it about through the API."""
