"""Real providers in a rehearsal: their packages, the cluster they meet, and a fake of Azure for those of Azure."""
