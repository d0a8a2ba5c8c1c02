"""`llmctl logs`: what a component's pods print, all of them together."""
