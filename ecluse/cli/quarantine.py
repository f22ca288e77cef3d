"""``ecluse quarantine``: rows that left because they broke a promise, with what they broke."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.errors import DefinitionError
from ecluse.texts import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from ecluse.model.leaving import Move
    from ecluse.step.held import Chosen
    from ecluse.step.leave import Left


def _person(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say who lets rows leave, and why."""
    for option in (
        click.option("--passphrase", envvar="ECLUSE_PASSPHRASE", help="Opens the key; better in ECLUSE_PASSPHRASE."),
        click.option("--reason", required=True, help="Why; it stays in the log."),
        click.option("--as", "party", required=True, metavar="PARTY", help="Who decides: a party with a key here."),
    ):
        command = option(command)
    return command


def _rows(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say which rows are meant, handed on as one."""

    @functools.wraps(command)
    def choosing(
        *arguments: Any, partition: str | None, check: str | None, rows: tuple[str, ...], every: bool, **more: Any
    ) -> None:
        from ecluse.step.held import Chosen

        command(*arguments, chosen=Chosen(partition, check, rows, every), **more)

    wrapped: Callable[..., None] = choosing
    for option in (
        click.option("--all", "every", is_flag=True, help="All rows in quarantine."),
        click.option("--row", "rows", multiple=True, metavar="NAME", help="The row that show names so in _row."),
        click.option("--check", metavar="NAME", help="Rows that broke this check."),
        click.option("--partition", metavar="KEY", help="Rows of this partition."),
    ):
        wrapped = option(wrapped)
    return wrapped


@click.group("quarantine")
def group() -> None:
    """Rows that were held back, why, and how they leave: corrected, released by a person, or dropped.

    \b
    Example:
      ecluse quarantine list clean.flights
    """


@group.command("list")
@click.argument("dataset")
@pass_session
def list_(session: Session, dataset: str) -> None:
    """Count the quarantined rows of a dataset by check and partition.

    \b
    Example:
      ecluse quarantine list clean.flights
    """
    from ecluse.cli.reading import require_known
    from ecluse.cli.rows import counts

    with session.reading() as project:
        require_known(project, dataset)
        found = counts(project, dataset)
    names = ("check", "partition", "rows")
    if session.json:
        as_json([dict(zip(names, row, strict=True)) for row in found])
    elif found:
        as_table([say(f"cli.column.{name}") for name in names], found)
        click.echo(say("cli.quarantine.next", dataset=dataset, check=found[0][0]))
    else:
        click.echo(say("cli.quarantine.empty", dataset=dataset))


@group.command("show")
@click.argument("dataset")
@click.option("--partition", metavar="KEY", help="Only rows of this partition.")
@click.option("--check", metavar="NAME", help="Only rows that broke this check.")
@click.option("--limit", type=click.IntRange(min=1), help="How many rows at most. Default: 20; all with --to.")
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="Write them to a new CSV file, to correct.")
@pass_session
def show(
    session: Session, dataset: str, partition: str | None, check: str | None, limit: int | None, to: Path | None
) -> None:
    """Show quarantined rows, each with its name. Values of personal and sensitive columns stay hidden.

    A file leaves these columns out: what isn't in it stays as it is when the file is given to fix.

    \b
    Example:
      ecluse quarantine show clean.planes --limit 5
      ecluse quarantine show clean.planes --to rows.csv
    """
    from ecluse.cli.reading import require_known
    from ecluse.cli.rows import quarantined, write_rows

    most = limit if limit is not None or to is not None else 20
    with session.reading() as project:
        require_known(project, dataset)
        found = quarantined(project, dataset, partition=partition, check=check, limit=most)
    if to is not None:
        written = write_rows(found, to)
        if session.json:
            as_json({"to": str(to), "rows": len(found.rows), "columns": written})
        else:
            click.echo(say("cli.quarantine.written", path=to, rows=len(found.rows), dataset=dataset))
    elif session.json:
        as_json([dict(zip(found.columns, row, strict=True)) for row in found.rows])
    elif found.rows:
        as_table(found.columns, found.rows)
    else:
        click.echo(say("cli.quarantine.empty", dataset=dataset))


@group.command("fix")
@click.argument("dataset")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_person
@pass_session
def fix(session: Session, dataset: str, file: Path, party: str, reason: str, passphrase: str | None) -> None:
    """Bring corrected rows back through the step: checked, accounted for, and published as they leave quarantine.

    FILE (.csv, .parquet, .ndjson) names each row by _row, _origin or the contract's key, and holds the corrected
    columns; columns that it lacks stay as they are. Rows that still break a promise stay. Ends with 2 where none left.

    \b
    Example:
      ecluse quarantine show clean.planes --to rows.csv
      ecluse quarantine fix clean.planes rows.csv --as p-7f3a --reason "Read again from the registry."
    """
    _leave(session, dataset, "fixed", party, reason, passphrase, file=file)


@group.command("release")
@click.argument("dataset")
@_rows
@_person
@pass_session
def release(session: Session, dataset: str, chosen: Chosen, party: str, reason: str, passphrase: str | None) -> None:
    """Publish rows as they are, by a person's decision: they break their checks still, and every report says so.

    The decision is for these rows and the checks that they broke, and for nothing else. What else is promised still
    blocks them. The next run of the partition holds them back again, as long as the source gives them so.

    \b
    Example:
      ecluse quarantine release clean.flights --row 5f1c9a02b7de --as p-7f3a --reason "A true storm: looked up."
    """
    _leave(session, dataset, "released", party, reason, passphrase, chosen=chosen)


@group.command("drop")
@click.argument("dataset")
@_rows
@_person
@pass_session
def drop(session: Session, dataset: str, chosen: Chosen, party: str, reason: str, passphrase: str | None) -> None:
    """Let rows go for good, without publishing them. The decision says who, why and how many; the raw bytes stay.

    \b
    Example:
      ecluse quarantine drop clean.flights --partition 2013-01 --all --as p-7f3a --reason "Test rows of the vendor."
    """
    _leave(session, dataset, "dropped", party, reason, passphrase, chosen=chosen)


def _leave(
    session: Session,
    dataset: str,
    move: Move,
    party: str,
    reason: str,
    passphrase: str | None,
    *,
    file: Path | None = None,
    chosen: Chosen | None = None,
) -> None:
    from ecluse.ledger import signer_for
    from ecluse.orchestration.runless import tell_left
    from ecluse.orchestration.runner import load_steps
    from ecluse.step.held import Chosen
    from ecluse.step.leave import Asked
    from ecluse.step.reentry import leave_quarantine

    with session.services() as services:
        signer = signer_for(services.project, services.charter, party, passphrase)
        steps = load_steps(services.project)
        if dataset not in steps:
            raise DefinitionError("cli.unknown_dataset", dataset=dataset, known=", ".join(sorted(steps)))
        asked = Asked(move, signer, reason, chosen or Chosen(), file)
        left = leave_quarantine(services, steps[dataset], asked)
        tell_left(services, steps[dataset], left)
    if session.json:
        as_json(_data(left))
    else:
        _show(left, party)
    if not left.done:
        click.get_current_context().exit(2)


def _show(left: Left, party: str) -> None:
    name = left.dataset + (f" [{left.partition}]" if left.partition else "")
    if left.done:
        click.echo(say(f"cli.quarantine.{left.move}", name=name, rows=left.left, party=party, position=left.position))
    else:
        click.echo(say("cli.quarantine.blocked", name=name, rows=left.stayed))
    for block in left.blocks:
        click.echo(f"  {left.dataset}: {block.text()}")
    if left.still:
        as_table(
            [say("cli.column.check"), say("cli.column.rows")], left.still.items(), title=say("cli.quarantine.stay")
        )


def _data(left: Left) -> dict[str, object]:
    same = ("dataset", "partition", "move", "left", "stayed", "by_check", "still", "position")
    return {**{name: getattr(left, name) for name in same}, "blocks": [block.text() for block in left.blocks]}
