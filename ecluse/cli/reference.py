"""The commands' help as one Markdown page: ``python -m ecluse.cli.reference`` writes what the docs hold."""

from __future__ import annotations

from collections.abc import Iterator

import click

from ecluse.cli.app import app

_HEAD = """# Commands

Made from the commands' own help by `python -m ecluse.cli.reference > docs/reference/commands.md`; a test says if not.
"""


def page() -> str:
    """The whole page."""
    sections = [f"## `{name}`\n\n```text\n{text}\n```\n" for name, text in _helps(app, "ecluse", None)]
    return "\n".join([_HEAD, *sections])


def _helps(command: click.Command, name: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    context = command.make_context(name, [], parent, resilient_parsing=True, terminal_width=100)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for child, found in command.commands.items():
            yield from _helps(found, child, context)


if __name__ == "__main__":
    click.echo(page(), nl=False)
