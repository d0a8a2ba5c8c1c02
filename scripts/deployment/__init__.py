"""One deployment of an environment: checked before, planned, agreed to, applied, explained."""
