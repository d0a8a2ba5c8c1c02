"""Rules of the chat in the cluster: its chart values, login, secrets, models, volume and traffic.

Nothing here imports cdktf.
"""
