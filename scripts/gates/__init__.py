"""Gates: what must be true of the repository and of what is deployed, each as one function and one command."""
