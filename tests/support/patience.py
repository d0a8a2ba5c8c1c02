"""How long tests wait."""

PATIENCE_S = 300
"""For what comes within seconds on an idle machine: only what never comes takes longer, on a busy machine too."""
