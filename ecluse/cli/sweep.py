"""``ecluse sweep``: deletes candidates that were given up, old versions, and files that nothing needs any more."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json
from ecluse.errors import DefinitionError
from ecluse.model.names import quarantine_name
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.model.contract import Keep
    from ecluse.project import Project
    from ecluse.warehouse import Warehouse

#: In place of an age: as each contract says.
_CONTRACT = "contract"

#: How old a file is at least that nothing refers to: longer than any run that might still come to refer to it.
_FILES = timedelta(days=7)

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


def _age_or_contract(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> timedelta | Literal["contract"] | None:
    return "contract" if value == _CONTRACT else _age(context, parameter, value)


@click.command("sweep")
@click.argument("dataset", required=False)
@click.option(
    "--older-than",
    callback=_age,
    metavar="AGE",
    help="How long ago files and candidates were given up, at least: hours (36h), days (7d) or weeks (4w). Default: 7d "
    "for files, and for candidates what the profile says (candidates, 14 days).",
)
@click.option(
    "--expire",
    callback=_age_or_contract,
    metavar="AGE|contract",
    help="First forget versions that were replaced so long ago, never sooner than their contract's keep=; with "
    "'contract', just what that allows. What a release, lock, candidate or legal hold needs stays.",
)
@click.option("--dry-run", is_flag=True, help="Delete nothing, and say what would be deleted.")
@pass_session
def command(
    session: Session,
    dataset: str | None,
    older_than: timedelta | None,
    expire: timedelta | Literal["contract"] | None,
    dry_run: bool,
) -> None:
    """Delete what killed runs, blocked candidates, dry runs and forgotten versions left behind.

    A dataset is swept with its quarantine. A candidate goes once nobody has held it for so long. No release or
    tag loses a file, runs that are at work keep theirs, and nothing goes of a dataset under a legal hold.

    \b
    Example:
      ecluse sweep --dry-run
      ecluse sweep --expire contract
      ecluse sweep clean.flights --older-than 2d --expire 90d
    """
    from ecluse.step.leftovers import clear, leftovers
    from ecluse.step.retention import expire as forget
    from ecluse.step.retention import held_datasets

    with session.services() as services:
        known = services.warehouse.datasets()
        if dataset is not None and dataset not in known:
            raise DefinitionError("cli.unknown_dataset", dataset=dataset, known=", ".join(known) or "–")
        held = held_datasets(services)
        expired = {}
        if expire is not None:
            age = None if isinstance(expire, str) else expire
            expired = forget(services, age, dataset, keeps=_keeps(services.project), dry_run=dry_run)
        kept = services.project.candidates if older_than is None else older_than
        candidates = _given_up(services.warehouse, dataset, kept, held, dry_run=dry_run)
        older_than = _FILES if older_than is None else older_than
        left = leftovers(services, older_than) if dataset is None else ()
        if not dry_run:
            clear(services, left)
        tables = [None] if dataset is None else [name for name in (dataset, quarantine_name(dataset)) if name in known]
        swept = [services.warehouse.sweep(name, older_than, dry_run=dry_run, without=held) for name in tables]
        found = [orphan for some in swept for orphan in some]
    size = sum(orphan.bytes for orphan in found)
    if session.json:
        forgotten = {name: [str(snapshot) for snapshot in gone] for name, gone in expired.items()}
        files = [orphan.path for orphan in found]
        counted = {"candidates": candidates, "files": len(found), "bytes": size, "paths": files}
        as_json({"dry_run": dry_run, "expired": forgotten, "held": sorted(held), **counted, "leftovers": left})
        return
    if expire is not None:
        word = "would_expire" if dry_run else "expired"
        click.echo(say(f"cli.sweep.{word}", snapshots=sum(len(gone) for gone in expired.values())))
    if left:
        word = "left_would" if dry_run else "left"
        click.echo(say(f"cli.sweep.{word}", count=len(left), bytes=sum(one.bytes for one in left)))
    ending = say("cli.sweep.would" if dry_run else "cli.sweep.swept", files=len(found), bytes=size)
    click.echo(say("cli.sweep.candidates", candidates=len(candidates)) + " " + ending)
    if held:
        click.echo(say("cli.sweep.held", datasets=", ".join(sorted(held))))


def _keeps(project: Project) -> dict[str, Keep]:
    """What the contracts say of old versions; a folder without definitions has no contracts."""
    if not (project.root / "pipelines" / "definitions.py").is_file():
        return {}
    from ecluse.orchestration.runner import load_steps

    contracts = {name: step.guard.contract for name, step in load_steps(project).items()}
    return {name: contract.keep for name, contract in contracts.items() if contract.keep is not None}


def _given_up(
    warehouse: Warehouse, dataset: str | None, grace: timedelta, held: Collection[str], *, dry_run: bool
) -> list[str]:
    """The branches of candidates that nobody has held for ``grace``; deleted, unless it is a dry run."""
    named = warehouse.datasets() if dataset is None else [dataset, quarantine_name(dataset)]
    wanted = [name for name in named if name not in held]
    if not dry_run:
        return [branch for name in wanted for branch in warehouse.clean_expired(grace, name)]
    before = datetime.now(UTC) - grace
    return [
        found.branch
        for found in warehouse.candidates()
        if found.expires is not None and found.expires <= before and found.dataset in wanted
    ]
