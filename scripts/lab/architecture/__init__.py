"""The architecture picture of the documentation, drawn from the synthesized stacks and the components."""
