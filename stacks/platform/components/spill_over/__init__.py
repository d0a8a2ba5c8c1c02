"""What looks after models that list several pools: a budget for the later ones, and the way back to the first."""
