"""Arguments of the Azure CLI, as both fakes of it read them."""


def command_of(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return what stands before the first option."""
    return words[: _first_option(words)]


def options_of(words: tuple[str, ...]) -> dict[str, str]:
    """Return the values of each option, a line each."""
    found: dict[str, str] = {}
    at = _first_option(words)
    while at < len(words):
        name, rest = words[at].removeprefix("--"), words[at + 1 :]
        values = rest[: _first_option(rest)]
        found[name] = "\n".join(values)
        at += 1 + len(values)
    return found


def pairs_of(text: str) -> dict[str, str]:
    """Return what an option with words such as `key=value` says."""
    return dict(line.split("=", 1) for line in text.splitlines())


def _first_option(words: tuple[str, ...]) -> int:
    return next((at for at, word in enumerate(words) if word.startswith("--")), len(words))
