"""Makes a bare clone runnable: virtual environment, Node packages, the `cdktf` launcher. Standard library only."""
