"""The start page: what runs here, and how each client begins to use it."""
