"""``ecluse lineage``: where data came from and where it went, as recorded runs say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.lineage import Graph, Part

_as_of = click.option("--as-of", type=click.DateTime(), help="What was recorded up to this moment (UTC).")


@click.group("lineage")
def group() -> None:
    """Where data came from and went to.

    \b
    Example:
      ecluse lineage column products.delay_features wind_speed
    """


@group.command("upstream")
@click.argument("dataset")
@click.option("--depth", type=int, help="How many steps. Default: to the sources.")
@_as_of
@pass_session
def upstream(session: Session, dataset: str, depth: int | None, as_of: datetime | None) -> None:
    """Show what a dataset was made from, back to the files.

    \b
    Example:
      ecluse lineage upstream products.delay_features
    """
    _show(session, _graph(session, as_of).upstream(dataset, depth=depth))


@group.command("downstream")
@click.argument("dataset")
@click.option("--depth", type=int, help="How many steps. Default: to the end.")
@_as_of
@pass_session
def downstream(session: Session, dataset: str, depth: int | None, as_of: datetime | None) -> None:
    """Show what was made from a dataset.

    \b
    Example:
      ecluse lineage downstream raw.weather
    """
    _show(session, _graph(session, as_of).downstream(dataset, depth=depth))


@group.command("column")
@click.argument("dataset")
@click.argument("column")
@click.option("--rows", is_flag=True, help="Also follow the columns that decided which rows exist.")
@click.option("--impact", is_flag=True, help="The other way: what a change of this column would reach.")
@_as_of
@pass_session
def column(session: Session, dataset: str, column: str, rows: bool, impact: bool, as_of: datetime | None) -> None:
    """Show where a column came from, or what a change of it would reach.

    \b
    Example:
      ecluse lineage column products.delay_features wind_speed
    """
    graph = _graph(session, as_of)
    if impact:
        reached = graph.impact(dataset, column)
        if session.json:
            as_json(reached)
        else:
            as_table(
                [say(f"cli.column.{name}") for name in ("dataset", "column", "how")],
                [(r.dataset, r.column, say(f"cli.how.{r.how}")) for r in reached],
            )
        return
    trace = graph.column_upstream(dataset, column, rows=rows)
    if session.json:
        as_json(trace)
        return
    as_table(
        [say(f"cli.column.{name}") for name in ("column", "from", "how")],
        [
            (f"{link.target}.{link.target_column}", f"{link.source}.{link.source_column}", link.subtype.lower())
            for link in trace.links
        ],
    )
    origins = ", ".join(f"{dataset}.{name}" for dataset, name in trace.origins) or "–"
    click.echo(say("cli.lineage.origins", origins=origins))
    for unknown, message in trace.unknown:
        click.echo(say("cli.lineage.unknown", dataset=unknown, message=message))


@group.command("export")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@pass_session
def export(session: Session, folder: Path | None) -> None:
    """Write every OpenLineage event to a folder, one NDJSON file per day. Default: lineage/events of the project.

    \b
    Example:
      ecluse lineage export
    """
    with session.reading() as project:
        target = folder or project.project.root / "lineage" / "events"
        grown = project.events.export(target)
    if session.json:
        as_json({"folder": target, "grown": grown})
    else:
        click.echo(say("cli.lineage.exported", count=len(grown), folder=target))


@group.command("forward")
@click.option("--seconds", default=5.0, show_default=True, help="How long to wait for the backend at most.")
@pass_session
def forward(session: Session, seconds: float) -> None:
    """Send waiting events to the transport of lineage/openlineage.yml. What a backend doesn't take keeps waiting.

    \b
    Example:
      ecluse lineage forward --seconds 30
    """
    with session.reading(writable=True) as project:
        done = project.events.forward(project.project.root / "lineage" / "openlineage.yml", seconds=seconds)
    if session.json:
        as_json(done)
    elif not done.configured:
        click.echo(say("cli.lineage.unconfigured", waiting=done.waiting))
    else:
        click.echo(say("cli.lineage.forwarded", sent=done.sent, waiting=done.waiting))
        if done.error:
            click.echo(say("cli.lineage.stopped", error=done.error))


def _graph(session: Session, as_of: datetime | None) -> Graph:
    from ecluse.lineage import Graph

    with session.reading() as project:
        return Graph(project.events.events(), at=as_of.replace(tzinfo=UTC) if as_of else None)


def _show(session: Session, part: Part) -> None:
    if session.json:
        as_json(part)
        return
    as_table(
        [say(f"cli.column.{name}") for name in ("dataset", "from")],
        [(target, source) for source, target in part.edges],
    )
