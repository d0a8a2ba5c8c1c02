"""`llmctl upgrades`: upgrades that one can see coming."""
