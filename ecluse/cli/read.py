"""``ecluse read``: rows of a published state, for those who make the dataset."""

from __future__ import annotations

from pathlib import Path

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.texts import say

_ON_SCREEN = 20


@click.command("read")
@click.argument("dataset")
@click.option(
    "--as-of",
    metavar="TIME|VERSION|SNAPSHOT",
    help="A time (2026-01-31, 2026-01-31T12:00+01:00), a release's version, or a snapshot's id. Default: now.",
)
@click.option("--columns", metavar="A,B", help="Only these columns, in this order.")
@click.option("--where", metavar="CONDITION", help="Only rows for which this holds: SQL over the columns shown.")
@click.option(
    "--limit", type=click.IntRange(min=1), help=f"How many rows at most. Default: {_ON_SCREEN}, to a file all."
)
@click.option("--to", type=click.Path(path_type=Path), help="Write to a new file instead: .parquet or .csv.")
@pass_session
def command(
    session: Session,
    dataset: str,
    as_of: str | None,
    columns: str | None,
    where: str | None,
    limit: int | None,
    to: Path | None,
) -> None:
    """Read what is or was published, as it stood at a time, in a release or as a snapshot.

    For those who make the dataset: it needs the key of the service that publishes it. Personal and sensitive columns
    are never shown, and each read is recorded. Consumers use ecluse.load.

    \b
    Example:
      ecluse read clean.flights --as-of 2026-01-31 --columns origin,dep_delay --where "dep_delay > 60"
      ecluse read clean.flights --as-of 1.0.0 --to flights.parquet
    """
    from ecluse.step.asof import published_state
    from ecluse.step.reading import read_rows

    wanted = [name.strip() for name in columns.split(",")] if columns else None
    with session.services() as services:
        state = published_state(services, dataset, as_of)
        most = limit if limit is not None or to is not None else _ON_SCREEN
        found = read_rows(services, state, columns=wanted, where=where, limit=most, to=to)
    if session.json:
        rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        about = {"dataset": dataset, "snapshot_id": str(state.snapshot_id), "since": state.since.isoformat()}
        shown = {"columns": found.columns, "hidden": found.hidden, "count": found.count}
        as_json({**about, "version": state.version, **shown, "to": None if to is None else str(to), "rows": rows})
        return
    if to is None:
        since = state.since.isoformat(" ", "seconds")
        click.echo(say("cli.read.title", dataset=dataset, since=since))
        as_table(found.columns, found.rows)
    else:
        click.echo(say("cli.read.written", path=to, rows=found.count))
    if found.hidden:
        hidden = ", ".join(f"{name} ({how})" for name, how in found.hidden.items())
        click.echo(say("cli.read.hidden", columns=hidden))
