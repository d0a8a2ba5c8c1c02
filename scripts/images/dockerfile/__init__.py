"""Dockerfiles: their instructions, the images that they build on, what they ask of a builder."""
