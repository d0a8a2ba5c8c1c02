"""Deploying, showing what a deployment would change, and destroying."""
