"""What is known about models: the catalogue by name, parsers by family, and what the pinned vLLM accepts."""
