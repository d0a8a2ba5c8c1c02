"""Import of everything that a stack consists of, after its state was lost."""
