"""What would stop a deployment halfway, asked before it begins: file, roles, consent, zones, policies."""
