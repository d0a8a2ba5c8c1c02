"""The machine's own Terraform."""

from scripts.bootstrap import terraform
from scripts.bootstrap.problems import NotReadyError
from scripts.core.errors import ExitCode, OperatorError


def require_terraform() -> terraform.Terraform:
    """Return the machine's Terraform. Raises OperatorError when it is missing or too old."""
    try:
        return terraform.find()
    except NotReadyError as error:
        raise OperatorError(error.message, error.fix, ExitCode.NOT_READY) from None
