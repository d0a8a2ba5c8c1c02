"""The platform at work, in a terminal: nodes, GPUs, models, queues, tokens, cost."""
