"""`llmctl webui`: the chat, Open WebUI."""
