"""What a new environment file needs to know: answers from options, or from the person at the terminal."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from scripts.core.console import Terminal, err
from scripts.core.errors import ExitCode, OperatorError
from scripts.core.notes.domain import domain_findings
from stacks.settings import Settings, SettingsError, parse_settings

from .new import Answers, render

ATTEMPTS = 5


@dataclass(frozen=True)
class Question:
    """One answer to be had: from an option of the command line, or from the person at the terminal."""

    option: str
    text: str
    key: str
    """Where the answer stands in the file."""
    private: bool | None = None
    """Whether it is asked of private environments alone, or of public ones alone; None for both."""

    def applies(self, answers: Answers) -> bool:
        """Whether an environment with these answers has to know it."""
        return self.private in {None, answers.is_private}

    @property
    def flag(self) -> str:
        """The option that gives the answer."""
        return f"--{self.option.replace('_', '-')}"

    def answered(
        self, answers: Answers, given: str | None, terminal: Terminal, others: Mapping[str, Settings]
    ) -> Answers:
        """Return `answers` with this one, asked for unless `given`; raises OperatorError for one that is not valid."""
        if given is not None:
            changed = replace(answers, **{self.option: given.strip()})
            if problem := problem_of(changed, self.key, others):
                raise OperatorError(f"{self.flag} {given!r} {problem}", code=ExitCode.USAGE)
            return changed
        problem = ""
        for _ in range(ATTEMPTS):
            answer = terminal.answer(self.text)
            if answer is None:
                raise OperatorError(
                    f"the input ended before {self.flag} was answered, and nothing was written",
                    f"run the command again, or add {self.flag}",
                    ExitCode.USAGE,
                )
            changed = replace(answers, **{self.option: answer})
            problem = problem_of(changed, self.key, others)
            if not problem:
                return changed
            err.print(f"  {problem}", markup=False)
        raise OperatorError(
            f"none of {ATTEMPTS} answers for {self.flag} is valid: it {problem}; nothing was written",
            f"run the command again, or add {self.flag}",
            ExitCode.USAGE,
        )


QUESTIONS = (
    Question("subscription", "Azure subscription id (az account show --query id):", "azure.subscription_id"),
    Question("region", "Azure region, such as westeurope:", "azure.region"),
    Question(
        "exposure",
        "Who reaches it: public, which is the internet, behind the login; or private, which is your own network or"
        " tailnet alone (empty: public):",
        "exposure",
    ),
    Question("tailscale", "Let a Tailscale tailnet in, yes or no (empty: no):", "private_access", private=True),
    Question("zone", "Private DNS zone (empty: llm.internal):", "domain", private=True),
    Question(
        "domain",
        "Domain, such as llm.your-company.com (chat.…, api.…, opik.… and grafana.… will be used):",
        "domain",
        private=False,
    ),
    Question("email", "Contact address for Let's Encrypt:", "ingress.acme_email", private=False),
    Question(
        "access_group",
        "Object id of the Entra group whose members may log in (empty: make a new group):",
        "identity.access_group_object_id",
    ),
    Question(
        "operators_group",
        "Object id of the Entra group that administers cluster and vault (empty: whoever deploys first, alone):",
        "operators.object_ids",
    ),
    Question(
        "opik_group",
        "Object id of the Entra group whose members may read all traces in Opik (empty: make one for operators):",
        "opik.access_group_object_id",
    ),
    Question(
        "state",
        "Where Terraform keeps its state: azurerm:RESOURCE_GROUP/STORAGE_ACCOUNT, hcp:ORGANIZATION, or local, which is"
        " this checkout alone: nobody else and no pipeline can deploy, and who loses the folder loses the state"
        " (empty: local):",
        "state",
    ),
)
MAY_BE_LEFT_OUT = ("exposure", "tailscale", "zone", "access_group", "operators_group", "opik_group", "state")


def asked(
    name: str, given: Mapping[str, str | None], terminal: Terminal, others: Mapping[str, Settings] | None = None
) -> Answers:
    """Return the answers for an environment, by option where they are given, else asked for.

    `others` are the environments that there are, by name: two cannot have one domain.
    Raises OperatorError for one that is not valid, or is missing where nobody can be asked.
    """
    answers = Answers(name=name)
    others = others or {}
    if problem := problem_of(answers, "name", others):
        raise OperatorError(f"NAME {problem}", code=ExitCode.USAGE)
    for question in QUESTIONS:  # what is given is checked before anything is asked or found missing
        if given[question.option] is not None and question.applies(answers):
            answers = question.answered(answers, given[question.option], terminal, others)
    if not terminal.interactive():
        given = {**given, **{option: given[option] or "" for option in MAY_BE_LEFT_OUT}}
        missing = [one for one in QUESTIONS if given[one.option] is None and one.applies(answers)]
        if missing:
            flags = ", ".join(question.flag for question in missing)
            raise OperatorError(f"nobody can be asked here; missing: {flags}", "give them as options", ExitCode.USAGE)
    for question in QUESTIONS:
        if question.applies(answers):
            answers = question.answered(answers, given[question.option], terminal, others)
        elif given[question.option]:
            needed = "private" if question.private else "public"
            raise OperatorError(f"{question.flag} is for --exposure {needed} alone", code=ExitCode.USAGE)
    return answers


def problem_of(answers: Answers, key: str, others: Mapping[str, Settings]) -> str:
    """Return what is wrong with the answer that stands at `key`, empty when it is valid."""
    if key == "private_access" and answers.tailscale not in {"", "no", "yes"}:
        return "must be yes or no"
    try:
        settings = parse_settings(render(answers), "answers")
    except SettingsError as error:
        # A list's key stands before the number of its entry.
        messages = [
            fault.message
            for fault in error.errors
            if fault.key in {key, ""} or fault.key.startswith((f"{key}.", f"{key}["))
        ]
        return messages[0] if messages else ""
    found = domain_findings(settings, others) if key == "domain" else ()
    return next((finding.message for finding in found), "")
