"""Giving up parts of an environment, or all of it, with the data in them."""
