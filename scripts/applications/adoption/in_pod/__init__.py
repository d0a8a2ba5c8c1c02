"""The program of an adoption that runs inside a pod of the chat or the LLM gateway."""
