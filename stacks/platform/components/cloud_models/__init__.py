"""Models outside the network: the one way out to them."""
