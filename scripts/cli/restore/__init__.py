"""`llmctl restore`: an environment, or a part of it, as a backup set holds it."""
