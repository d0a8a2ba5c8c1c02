"""LiteLLM, the one OpenAI-compatible API in front of the engines: address, models, secrets, chart values, traffic."""
