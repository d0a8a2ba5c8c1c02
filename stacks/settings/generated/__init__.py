"""What is generated from the models: the JSON schema that editors read, and the reference page of the settings."""
