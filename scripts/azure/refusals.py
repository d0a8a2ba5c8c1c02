"""What Azure's refusals mean, by status and by the code in their body."""

from http import HTTPStatus

from pydantic import ValidationError

from .errors import AnswerError, DeniedError, MissingError, NoLoginError, UnavailableError
from .shape import Shape


class _Told(Shape):
    code: str = ""
    message: str = ""


class _Body(Shape):
    error: _Told = _Told()


def refusal(status: int, body: bytes, later: str) -> AnswerError:
    """Return the error for a status that is no success; `later` is the header Retry-After."""
    try:
        told = _Body.model_validate_json(body).error
    except ValidationError:
        told = _Told()
    words = ": ".join(filter(None, [told.code, told.message.strip().split("\n")[0].split(". ")[0][:300]]))
    if status == HTTPStatus.UNAUTHORIZED:
        return NoLoginError(f"Azure does not accept the login ({words or 'status 401'})")
    if status == HTTPStatus.FORBIDDEN:
        return DeniedError(f"this login may not read it ({words or 'status 403'})")
    if status == HTTPStatus.NOT_FOUND:
        return MissingError(words or "status 404")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        again = f"; ask again in {later} s" if later else ""
        return UnavailableError(f"Azure refuses more requests for now (429){again}")
    return UnavailableError(f"Azure answers with status {status}{f' ({words})' if words else ''}")
