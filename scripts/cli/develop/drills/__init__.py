"""Drills whose way out is a command: each is typed as the runbook has it, on a rehearsed environment."""
