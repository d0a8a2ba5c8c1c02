"""What `env check` and `deploy` say of an environment file: one module for each subject (`environment_check`)."""
