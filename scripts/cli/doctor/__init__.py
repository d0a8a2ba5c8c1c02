"""`llmctl doctor`: known problems, with their fixes."""
