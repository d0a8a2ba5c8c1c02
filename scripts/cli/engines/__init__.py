"""`llmctl ollama`, `llmctl vllm` and `llmctl gpu`: the engines and their GPUs."""
