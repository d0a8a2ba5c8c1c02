"""Azure, the directory, DNS and the internet on this machine, for the checks before a deployment."""
