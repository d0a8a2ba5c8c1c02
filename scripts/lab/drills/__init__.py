"""Drills: something bad happens to a rehearsed environment, the way out is taken, and what survived is counted."""
