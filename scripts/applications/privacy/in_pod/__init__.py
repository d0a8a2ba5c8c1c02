"""The program that runs inside a pod: its modules go in as one text (scripts/cluster/bundle.py)."""
