"""`llmctl adopt`: take over an installation that was made by hand."""
