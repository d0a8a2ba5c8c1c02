"""The platform's own programs, run on this machine in a network of their own (`conftest.py`).

Where to look: `stage` runs what is behind the chat and `chat_stage` the chat before it. Tests that ask the chat are in
`chat/`, those of the LLM gateway and what it calls in `gateway/`; here are those that start programs for themselves.
"""
