"""The same path in a rehearsal: what stands there, and that nothing of it is real."""

from collections.abc import Callable

from scripts.core.errors import ExitCode, OperatorError
from scripts.lab.rehearsal.drive import Rehearsal
from stacks.settings import Settings

from .steps import Part, Step

_GRANT = "azuread_service_principal_delegated_permission_grant"


def parts(settings: Settings, rehearsal: Rehearsal | None = None) -> list[Part]:
    """Return what stands for each part of the path, in the last rehearsal on fake providers where none is given.

    Raises OperatorError without a rehearsal.
    """
    rehearsal = rehearsal or Rehearsal(settings, fresh=False)
    releases = {
        str(values["name"]) for address, values in _standing(rehearsal, "platform") if "helm_release" in address
    }
    granted = any(address.startswith(_GRANT) for address, _ in _standing(rehearsal, "identity"))
    if not releases:
        raise OperatorError(f"{settings.name} is not rehearsed", f"llmctl rehearse {settings.name}", ExitCode.NOT_READY)
    engines = sorted(name for name in releases if name.startswith(("ollama", "vllm")))
    consent = settings.identity.manage and settings.identity.admin_consent
    expected: list[tuple[str, bool, bool, str]] = [
        ("login", True, granted or not consent, "the consent stands in a fake Entra"),
        ("chat", settings.chat.enabled, "open-webui" in releases, "its release stands in a fake cluster"),
        ("gateway", settings.gateway.enabled, "litellm" in releases, "its release stands in a fake cluster"),
        (
            "engine",
            bool(settings.models),
            bool(engines),
            f"{', '.join(engines)} stand in a fake cluster: nothing answers",
        ),
        ("trace", settings.opik.enabled, "opik" in releases, "its release stands in a fake cluster: nothing is traced"),
    ]
    return [(name, _look(name, there, said)) for name, on, there, said in expected if on]


def _look(name: str, there: bool, said: str) -> Callable[[], Step]:
    return lambda: Step(name, "" if there else "does not stand in the rehearsal", f"fake: {said}", fake=True)


def _standing(rehearsal: Rehearsal, stack: str) -> list[tuple[str, dict[str, object]]]:
    return list(rehearsal.instances(stack).items())
