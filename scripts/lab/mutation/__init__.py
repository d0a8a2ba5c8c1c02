"""Makes plausible mistakes in the tree, one at a time, and tells which of them no named test notices."""
