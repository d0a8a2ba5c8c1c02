"""Rules of the gateway in the cluster: its address, models, secrets, chart values and traffic.

Nothing here imports cdktf.
"""
