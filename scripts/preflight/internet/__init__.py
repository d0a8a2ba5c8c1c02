"""Checks of what lies outside Azure: DNS, the sources of images and charts, weights, an egress proxy."""
