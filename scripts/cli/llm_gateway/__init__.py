"""`llmctl gateway`: the LLM gateway, LiteLLM."""
