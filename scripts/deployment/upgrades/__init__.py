"""Upgrades that an environment has before it: what ends when, and what comes first."""
