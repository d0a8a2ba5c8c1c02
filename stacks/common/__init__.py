"""What all stacks share: base class, wiring, outputs, backends, names."""
