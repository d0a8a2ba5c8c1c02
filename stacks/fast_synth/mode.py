"""How provider bindings are loaded."""

import os
from enum import StrEnum

MODE_VARIABLE = "PLATFORM_BINDINGS"


class Mode(StrEnum):
    """How provider bindings are loaded; every mode synthesizes the same files."""

    AS_SHIPPED = "as-shipped"
    """Everything is loaded, as the packages are published."""
    LEAN = "lean"
    """Python imports only the resources that are used."""
    LAZY = "lazy"
    """As `LEAN`, and jsii's Node process loads only those resources too."""


def requested_mode() -> Mode:
    """Return the mode that ``PLATFORM_BINDINGS`` asks for, `Mode.LAZY` when it is unset or empty.

    Raises:
        ValueError: the variable holds something else.
    """
    value = os.environ.get(MODE_VARIABLE) or Mode.LAZY
    try:
        return Mode(value)
    except ValueError:
        choices = ", ".join(Mode)
        raise ValueError(f"{MODE_VARIABLE}={value!r} is not a way to load bindings; use one of {choices}") from None
