"""Why Azure gave no answer that can be used."""


class AnswerError(Exception):
    """Azure could not be asked, or its answer cannot be used; the text says why, in a few words."""


class NoLoginError(AnswerError):
    """Nobody is logged in, or the login is not valid any more."""

    def __init__(self, message: str, fix: str = "az login") -> None:
        super().__init__(message)
        self.fix = fix
        """The command that logs in."""


class DeniedError(AnswerError):
    """The login may not read this (403)."""


class MissingError(AnswerError):
    """There is no such thing (404)."""


class UnavailableError(AnswerError):
    """No answer, a conflict, too many requests, an error of the server, or an answer of another shape."""
