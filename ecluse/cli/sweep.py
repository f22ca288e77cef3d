"""``ecluse sweep``: deletes files that nothing refers to any more."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json
from ecluse.errors import DefinitionError
from ecluse.texts import say

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"([1-9]\d{0,4})([hdw])\Z")


class Duration(click.ParamType):
    """An age such as ``36h``, ``7d`` or ``12w``."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The age as a time span."""
        if isinstance(value, timedelta):
            return value
        found = _DURATION.match(value)
        if not found:
            self.fail(say("cli.sweep.age", value=value), param, ctx)
        return timedelta(**{_UNITS[found[2]]: int(found[1])})


@click.command("sweep")
@click.argument("dataset", required=False)
@click.option(
    "--older-than",
    type=Duration(),
    default="7d",
    show_default=True,
    metavar="AGE",
    help="How long ago the files were written or given up, at least: hours (36h), days (7d) or weeks (4w).",
)
@click.option(
    "--expire",
    type=Duration(),
    metavar="AGE",
    help="First forget snapshots older than this that no release, candidate or tag needs.",
)
@click.option("--dry-run", is_flag=True, help="Delete nothing, and say what would be deleted.")
@pass_session
def command(
    session: Session, dataset: str | None, older_than: timedelta, expire: timedelta | None, dry_run: bool
) -> None:
    """Delete files that nothing refers to: what killed runs and forgotten snapshots left behind.

    No release, branch or tag loses a file. Files of runs that are at work stay.

    \b
    Example:
      ecluse sweep --dry-run
      ecluse sweep clean.flights --older-than 2d --expire 90d
    """
    from ecluse.step.retention import expire as forget

    if dry_run and expire is not None:
        raise DefinitionError("cli.sweep_dry_expire")
    with session.services() as services:
        known = services.warehouse.datasets()
        if dataset is not None and dataset not in known:
            raise DefinitionError("cli.unknown_dataset", dataset=dataset, known=", ".join(known) or "–")
        expired = forget(services, expire, dataset) if expire is not None else {}
        found = services.warehouse.sweep(dataset, older_than, dry_run=dry_run)
    size = sum(orphan.bytes for orphan in found)
    if session.json:
        forgotten = {name: [str(snapshot) for snapshot in gone] for name, gone in expired.items()}
        files = [orphan.path for orphan in found]
        as_json({"dry_run": dry_run, "expired": forgotten, "files": len(found), "bytes": size, "paths": files})
        return
    if expire is not None:
        click.echo(say("cli.sweep.expired", snapshots=sum(len(gone) for gone in expired.values())))
    click.echo(say("cli.sweep.would" if dry_run else "cli.sweep.swept", files=len(found), bytes=size))
