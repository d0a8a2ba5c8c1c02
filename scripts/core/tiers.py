"""Names and order of the stacks, for the programs that drive them without synthesizing.

`tests/core/test_schedule.py` holds them against the synthesized application.
"""

DURABLE = ("identity", "disks", "acr", "database", "address")
"""Hold data or names; independent of each other and of everything below."""

DISPOSABLE = ("network", "aks", "platform")
"""In deploy order: each depends on the ones before it."""

STACKS = DURABLE + DISPOSABLE
