"""What has to be known about Opik to change its version without losing data."""
