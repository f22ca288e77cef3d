"""``ecluse profile``: what is in data, on the terminal or as one page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ecluse import texts
from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.cli.sources import tables_of
from ecluse.cli.working import working
from ecluse.errors import DefinitionError
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.engine import Watch
    from ecluse.quality.profiling import Profile, TableProfile


@click.command("profile")
@click.argument("data", nargs=-1, required=True, metavar="DATA…")
@click.option("-o", "--html", "output", type=click.Path(path_type=Path), metavar="FILE.html", help="Write one page.")
@click.option("--lang", type=click.Choice(texts.LANGUAGES), help="The page's language. Default: that of the messages.")
@click.option(
    "--record", is_flag=True, help="Keep the profile of each dataset as signed evidence: counts, public values."
)
@click.option("--memory-limit", metavar="SIZE", help="The most memory that the engine uses, for example 2GB.")
@pass_session
def command(
    session: Session,
    data: tuple[str, ...],
    output: Path | None,
    lang: str | None,
    record: bool,
    memory_limit: str | None,
) -> None:
    """Profile files or published datasets.

    DATA is a Parquet or CSV file, a folder of them that is one table, or a dataset of the project. Several are looked
    at together, for columns that refer to another's key. Values of columns that are classified personal, or look so,
    are never shown.

    \b
    Example:
      ecluse profile orders.parquet customers.csv
      ecluse profile clean.flights --record -o profile.html
    """
    with tables_of(session, data) as (tables, datasets, services):
        if record and len(datasets) < len(tables):
            raise DefinitionError("cli.record_files", names=", ".join(name for name in tables if name not in datasets))

        def work(watch: Watch) -> Profile:
            from ecluse.quality.profiling import profile

            return profile(tables, memory_limit=memory_limit, watch=watch)

        found = working(work, quietly=session.json)
        if record and services is not None:
            from ecluse.step.profile import record_profile

            for name, published in datasets.items():
                record_profile(services, published, found.table(name))
    if output is not None:
        from ecluse.report import write_profile

        write_profile(found, output, lang=lang or texts.language())
    if session.json:
        from ecluse.quality.profiling import as_data

        as_json(as_data(found))
    else:
        show(found)
        if output is not None:
            click.echo(say("cli.profile.written", file=output))
        if record:
            click.echo(say("cli.profile.recorded", datasets=", ".join(datasets)))


def show(found: Profile) -> None:
    """A profile as tables for people."""
    for table in found.tables:
        _show_table(table)
    if found.references:
        from ecluse.quality.profiling import percent

        rows = [
            (f"{r.table}.{r.column}", f"{r.to_table}.{r.to_column}", percent(r.share), f"{r.found:,} / {r.distinct:,}")
            for r in found.references
        ]
        heads = [say(f"cli.column.{name}") for name in ("column", "refers_to", "share", "distinct")]
        as_table(heads, rows, title=say("cli.profile.references"))


def _show_table(table: TableProfile) -> None:
    from ecluse.quality.profiling import distinct_text, percent, values_text

    rows = [
        (
            column.name,
            column.type,
            "–" if column.share is None else percent(column.share),
            distinct_text(column),
            values_text(column),
            " ".join(remark.text() for remark in column.remarks),
        )
        for column in table.columns
    ]
    heads = [say(f"cli.column.{name}") for name in ("column", "type", "filled", "distinct", "values", "remark")]
    as_table(heads, rows, title=say("cli.profile.title", name=table.name, rows=table.rows))
    for line in _lines(table):
        click.echo(line)
    click.echo()


def _lines(table: TableProfile) -> Iterator[str]:
    if table.keys:
        yield say("cli.profile.keys", keys=", ".join(" + ".join(key) for key in table.keys))
    for pair in table.pairs:
        yield say("cli.profile.pair", low=pair.low, high=pair.high, rows=pair.rows)
    for remark in table.remarks:
        yield remark.text()
    if table.looked_at < table.rows:
        yield say("cli.profile.looked_at", rows=table.looked_at)
