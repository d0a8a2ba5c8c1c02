"""`llmctl cleanup`: give up a part of an environment, or all of it."""
