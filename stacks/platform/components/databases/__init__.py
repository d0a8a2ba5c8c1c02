"""The databases of the applications."""
