"""Fixtures that several test modules share."""

# Before any test module imports cdktf or constructs: it decides how provider bindings are loaded.
import stacks  # noqa: F401
