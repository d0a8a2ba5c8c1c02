"""Text that has to reach Helm unchanged through Terraform's template language."""


def terraform_literal(text: str) -> str:
    """Return `text` so that Terraform, which evaluates `${` and `%{` in every string, yields it unchanged."""
    return text.replace("${", "$${").replace("%{", "%%{")
