"""Ollama and vLLM, their scaling, and the proxy before them."""
