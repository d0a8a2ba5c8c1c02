"""What services refuse beyond their schemas: tables of small checks."""
