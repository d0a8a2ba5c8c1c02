"""`llmctl client`: what an operator hands to people so that their computers trust the internal CA."""
