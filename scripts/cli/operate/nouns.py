"""Nouns that have the commands of every component and no other."""

import typer

from scripts.cli.operations.nouns import add_operations


def _noun(word: str, what: str) -> typer.Typer:
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        help=f"{what}: status, logs, events, restart, stop, start, scale, shell.",
    )
    add_operations(app, word)
    return app


ingress = _noun("ingress", "The ingress")
monitoring = _noun("monitoring", "Prometheus, Alertmanager and Grafana")
