"""``ecluse sweep``: deletes candidates that were given up, and files that nothing refers to any more."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json
from ecluse.errors import DefinitionError
from ecluse.model.names import quarantine_name
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.warehouse import Warehouse

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
_AGE = re.compile(r"([1-9]\d{0,4})([hdw])\Z")


def _age(context: click.Context, parameter: click.Parameter, value: str | None) -> timedelta | None:
    """An age such as ``36h``, ``7d`` or ``12w``."""
    if value is None:
        return None
    found = _AGE.match(value)
    if not found:
        raise click.BadParameter(say("cli.sweep.age", value=value), context, parameter)
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


@click.command("sweep")
@click.argument("dataset", required=False)
@click.option(
    "--older-than",
    callback=_age,
    default="7d",
    show_default=True,
    metavar="AGE",
    help="How long ago files and candidates were given up, at least: hours (36h), days (7d) or weeks (4w).",
)
@click.option(
    "--expire",
    callback=_age,
    metavar="AGE",
    help="First forget snapshots older than this that no release, candidate or tag needs.",
)
@click.option("--dry-run", is_flag=True, help="Delete nothing, and say what would be deleted.")
@pass_session
def command(
    session: Session, dataset: str | None, older_than: timedelta, expire: timedelta | None, dry_run: bool
) -> None:
    """Delete what killed runs, blocked candidates and forgotten snapshots left behind.

    A candidate goes once nobody has held it for --older-than. No release or tag loses a file, and runs that are at
    work keep theirs.

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
        candidates = _given_up(services.warehouse, dataset, older_than, dry_run=dry_run)
        found = services.warehouse.sweep(dataset, older_than, dry_run=dry_run)
    size = sum(orphan.bytes for orphan in found)
    if session.json:
        forgotten = {name: [str(snapshot) for snapshot in gone] for name, gone in expired.items()}
        files = [orphan.path for orphan in found]
        counted = {"candidates": candidates, "files": len(found), "bytes": size, "paths": files}
        as_json({"dry_run": dry_run, "expired": forgotten, **counted})
        return
    if expire is not None:
        click.echo(say("cli.sweep.expired", snapshots=sum(len(gone) for gone in expired.values())))
    ending = say("cli.sweep.would" if dry_run else "cli.sweep.swept", files=len(found), bytes=size)
    click.echo(say("cli.sweep.candidates", candidates=len(candidates)) + " " + ending)


def _given_up(warehouse: Warehouse, dataset: str | None, grace: timedelta, *, dry_run: bool) -> list[str]:
    """The branches of candidates that nobody has held for ``grace``; deleted, unless it is a dry run."""
    wanted = [dataset] if dataset is None else [dataset, quarantine_name(dataset)]
    if not dry_run:
        return [branch for name in wanted for branch in warehouse.clean_expired(grace, name)]
    before = datetime.now(UTC) - grace
    return [
        found.branch
        for found in warehouse.candidates()
        if found.expires is not None and found.expires <= before and (dataset is None or found.dataset in wanted)
    ]
