"""The machine's own Terraform, else the one that is brought along."""

import os

from scripts.bootstrap import terraform
from scripts.bootstrap.problems import NotReadyError
from scripts.core.errors import ExitCode, OperatorError
from scripts.tools.bring import Cache, own_cache
from scripts.tools.catalogue import tool

_VARIABLE = "TERRAFORM_BINARY_NAME"


def require_terraform(cache: Cache | None = None) -> terraform.Terraform:
    """Return the Terraform that TERRAFORM_BINARY_NAME names, or that of the machine, or one that is fetched.

    Where the machine has none, or one that is too old, TERRAFORM_BINARY_NAME names the fetched one afterwards, for
    cdktf too. Raises OperatorError when that cannot be had.
    """
    try:
        return terraform.find()
    except NotReadyError as error:
        if os.environ.get(_VARIABLE):
            raise OperatorError(error.message, error.fix, ExitCode.NOT_READY) from None
        lacking = error
    try:
        os.environ[_VARIABLE] = str(own_cache(cache).bring(tool("terraform")))
        return terraform.find()
    except OperatorError as error:
        raise OperatorError(f"{lacking.message}; {error.message}", lacking.fix, ExitCode.NOT_READY) from None
    except NotReadyError as error:
        raise OperatorError(error.message, error.fix, ExitCode.NOT_READY) from None
