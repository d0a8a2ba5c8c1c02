"""`llmctl support`: a bundle for a bug report."""
