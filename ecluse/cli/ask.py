"""Questions to whoever sits at the terminal, in their language."""

from __future__ import annotations

import click

from ecluse.texts import say


def confirm(question: str) -> None:
    """Go on where the answer is yes, and abort at no, at nothing, and where nobody can answer."""
    yes, no = say("cli.ask.yes").split(), say("cli.ask.no").split()
    while True:
        asked = f"{question} [{yes[0]}/{no[0].upper()}]"
        # NOTE: beside what a command prints, which may be JSON.
        answer = click.prompt(asked, default="", show_default=False, err=True).strip().lower()
        if answer in yes:
            return
        if answer in ("", *no):
            raise click.Abort
        click.echo(say("cli.ask.again", yes=yes[0], no=no[0]), err=True)
