"""The admission policy on images."""
