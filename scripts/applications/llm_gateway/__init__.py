"""The LLM gateway, LiteLLM, as its operators use it."""
