"""``ecluse quarantine``: rows that left because they broke a promise, with what they broke."""

from __future__ import annotations

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.texts import say


@click.group("quarantine")
def group() -> None:
    """Rows that were held back, and why.

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
    from ecluse.cli.rows import counts

    with session.reading() as project:
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
@click.option("--limit", default=20, show_default=True, help="How many rows at most.")
@pass_session
def show(session: Session, dataset: str, partition: str | None, check: str | None, limit: int) -> None:
    """Show quarantined rows. Values of personal and sensitive columns stay hidden.

    \b
    Example:
      ecluse quarantine show clean.planes --limit 5
    """
    from ecluse.cli.rows import quarantined

    with session.reading() as project:
        found = quarantined(project, dataset, partition=partition, check=check, limit=limit)
    if session.json:
        as_json([dict(zip(found.columns, row, strict=True)) for row in found.rows])
    elif found.rows:
        as_table(found.columns, found.rows)
    else:
        click.echo(say("cli.quarantine.empty", dataset=dataset))
