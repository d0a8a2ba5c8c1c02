"""Fake servers and helpers that several test modules share."""
