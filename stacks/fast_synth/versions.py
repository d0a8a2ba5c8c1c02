"""The versions whose published form the lean finder and the lazy Node index were checked against."""

from importlib.metadata import PackageNotFoundError, version

KNOWN = {
    "jsii": "1.142.0",
    "cdktf": "0.21.0",
    "constructs": "10.7.2",
    "cdktf-cdktf-provider-azurerm": "14.23.1",
    "cdktf-cdktf-provider-azuread": "14.3.1",
    "cdktf-cdktf-provider-kubernetes": "12.1.1",
    "cdktf-cdktf-provider-helm": "12.1.2",
    "cdktf-cdktf-provider-random": "12.0.1",
}
"""Version of each package, by distribution name. Change one together with its pin in ``Pipfile``, once
``tests/fast_synth`` passes with it."""


def differences() -> str:
    """Return which installed packages have another version than the known one, in words; empty where none has."""
    found = ((name, known, _installed(name)) for name, known in KNOWN.items())
    return ", ".join(f"{name} {actual} instead of {known}" for name, known, actual in found if actual != known)


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
