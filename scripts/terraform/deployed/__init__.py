"""What is deployed of an environment, read from its states and from Azure."""
