"""Text that has to reach Helm unchanged through Terraform's template language."""

from collections.abc import Mapping, Sequence

_UNSAFE = ('"', "\\", "%{")


def terraform_literal(text: str) -> str:
    """Return `text` so that Terraform, which evaluates `${` and `%{` in every string, yields it unchanged."""
    return text.replace("${", "$${").replace("%{", "%%{")


def check_wired(values: object, key: str = "values") -> None:
    """Raise ValueError when `values` holds a literal that cdktf writes wrongly inside `jsonencode(...)`.

    cdktf 0.21 escapes neither quotes nor backslashes there, and Terraform evaluates `%{`. Such text belongs into
    a values file.
    """
    if isinstance(values, Mapping):
        for name, value in values.items():
            check_wired(name, f"{key} (a key)")
            check_wired(value, f"{key}.{name}")
    elif isinstance(values, str):
        for unsafe in _UNSAFE:
            if unsafe in values:
                raise ValueError(
                    f"{key}: {values!r} contains {unsafe}, which Terraform would misread; "
                    "write it in the release's values file"
                )
    elif isinstance(values, Sequence):
        for index, value in enumerate(values):
            check_wired(value, f"{key}[{index}]")
