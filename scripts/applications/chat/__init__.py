"""The chat, Open WebUI, as its operators use it."""
