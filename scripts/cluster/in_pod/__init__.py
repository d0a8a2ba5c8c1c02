"""What programs inside a pod of the chat or the LLM gateway share; their images have psycopg, but not this project."""
