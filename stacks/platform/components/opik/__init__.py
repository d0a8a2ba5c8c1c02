"""Rules of Opik in the cluster: its disks and claims, its secrets, chart values, login and traffic.

Nothing here imports cdktf.
"""
