"""Commands that every component has: the component is named by the command line, or by the noun before it."""
