"""The start page, run on this machine."""
