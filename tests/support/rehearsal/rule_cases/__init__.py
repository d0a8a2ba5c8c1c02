"""What the rules of the fake providers are for: by subject, what each refuses and what it lets through."""
