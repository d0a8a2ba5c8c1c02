"""Open WebUI, the chat: its chart values, login, secrets, models, volume and traffic."""
