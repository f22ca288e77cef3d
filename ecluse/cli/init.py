"""``ecluse init``: a new project with the layout of this one, small enough to read in five minutes."""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json
from ecluse.errors import DefinitionError
from ecluse.texts import say

#: What stands for the project's name in the scaffold's files.
_NAME = "@name@"
#: What editors complete and check the charter by.
SCHEMA = "charter.schema.json"


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--name", metavar="NAME", help="The project's name. Default: the folder's.")
@pass_session
def command(session: Session, folder: Path, name: str | None) -> None:
    """Make a project in a new folder.

    One source, one cleaned dataset, a charter, and a demo. Nothing that exists is overwritten.

    \b
    Example:
      ecluse init orders
    """
    written = scaffold(folder, name)
    if session.json:
        as_json({"folder": folder, "files": [str(path.relative_to(folder)) for path in written]})
    else:
        click.echo(say("cli.init.made", folder=folder, count=len(written)))
        click.echo(say("cli.init.next", folder=folder))


def scaffold(folder: Path, name: str | None = None) -> list[Path]:
    """Write the scaffold into a new or empty folder; the files that were written.

    ``DefinitionError`` where the folder holds something already: nothing is ever overwritten.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DefinitionError("cli.init_folder", folder=folder)
    chosen = name or re.sub(r"[^a-z0-9-]+", "-", folder.resolve().name.lower()).strip("-") or "project"
    written: list[Path] = []
    _copy(files("ecluse.cli") / "scaffold" / "files", folder, chosen, written)
    written.append(_write_schema(folder / SCHEMA))
    return sorted(written)


def _write_schema(path: Path) -> Path:
    """The schema of this version's charter: the charter's first line sends editors there."""
    from ecluse.charterfile import schema_text

    path.write_text(schema_text(), "utf-8")
    return path


def _copy(source: Traversable, target: Path, name: str, written: list[Path]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for entry in source.iterdir():
        if entry.name == "__pycache__":
            continue
        if entry.is_dir():
            _copy(entry, target / entry.name, name, written)
            continue
        # NOTE: kept without its dot in the package, where Git would obey it.
        path = target / (".gitignore" if entry.name == "gitignore" else entry.name)
        path.write_text(entry.read_text("utf-8").replace(_NAME, name), "utf-8")
        written.append(path)
