"""The real chat with everything behind it, as people, operators and its own database meet it."""
