"""``ecluse suggest``: a suite that holds on data, with the reason for each expectation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ecluse import texts
from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.cli.sources import tables_of
from ecluse.cli.working import working
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.engine import Watch
    from ecluse.quality.suggesting import Suggestion

#: Reasons whose proposals differ by the column only.
TOGETHER = ("filled", "type")


@click.command("suggest")
@click.argument("data", metavar="DATA")
@click.option(
    "--with",
    "beside",
    multiple=True,
    metavar="DATA",
    help="Another table whose key columns may refer to. May be repeated.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="SUITE.json|DIR",
    help="Write the suite as JSON, or as suite.py with a contract.py beside it in a folder.",
)
@click.option("--name", metavar="NAME", help="The suite's name. Default: the folder under expectations, or the data's.")
@click.option(
    "--lang",
    type=click.Choice(texts.LANGUAGES),
    help="The language of the reasons that are written. Default: that of the messages.",
)
@click.option("--memory-limit", metavar="SIZE", help="The most memory that the engine uses, for example 2GB.")
@pass_session
def command(
    session: Session,
    data: str,
    beside: tuple[str, ...],
    output: Path | None,
    name: str | None,
    lang: str | None,
    memory_limit: str | None,
) -> None:
    """Suggest a suite that holds on data.

    DATA is a Parquet or CSV file, a folder of them that is one table, or a dataset of the project. Everything that is
    suggested was asked of all rows, and holds. Nothing that is there is overwritten.

    \b
    Example:
      ecluse suggest orders.parquet --with customers.csv
      ecluse suggest orders.parquet -o suite.json
      ecluse suggest orders.parquet -o expectations/raw/orders
    """
    if output is not None:
        from ecluse.quality.suggesting import confirm_new

        confirm_new(output)
    with tables_of(session, (data, *beside)) as (tables, _, _):
        own, *others = tables.items()

        def work(watch: Watch) -> Suggestion:
            from ecluse.quality.suggesting import suggest

            called = name or _name_of(output) or own[0]
            return suggest(own[1], name=called, beside=dict(others), memory_limit=memory_limit, watch=watch)

        found = working(work, quietly=session.json)
    written: list[Path] = []
    if output is not None:
        from ecluse.quality.suggesting import write_suggestion

        written = write_suggestion(found, output, lang or texts.language())
    if session.json:
        as_json({"suite": found.suite(lang).to_json_dict(), "left_out": _left_out(found), "written": written})
        return
    show(found)
    for file in written:
        click.echo(say("cli.suggest.written", file=file))


def show(found: Suggestion) -> None:
    """A suggestion as a table, what says most first."""
    rows = list(_lines(found))
    as_table([say(f"cli.column.{name}") for name in ("expectation", "reason", "severity")], rows)
    click.echo(say("cli.suggest.sum", count=len(found.proposals), rows=found.table.rows))
    for outcome in ("broken", "not_computed"):
        told = [p.said() for p, why in found.left_out if why == outcome]
        if told:
            click.echo(say(f"cli.suggest.{outcome}", what="; ".join(told)))


def _lines(found: Suggestion) -> Iterator[tuple[str, str, str]]:
    """A line for each proposal; what is said of column after column shares one."""
    for reason, alike in groupby(found.proposals, key=lambda p: p.reason if p.reason in TOGETHER else id(p)):
        proposals = list(alike)
        said = proposals[0].said()
        if len(proposals) > 1:
            names = ", ".join(str(p.kwargs["column"]) for p in proposals)
            said = say(f"cli.suggest.together.{reason}", names=names)
        yield said, proposals[0].why(), say(f"cli.severity.{proposals[0].severity}")


def _left_out(found: Suggestion) -> list[dict[str, object]]:
    return [{"type": p.type, "kwargs": dict(p.kwargs), "outcome": outcome} for p, outcome in found.left_out]


def _name_of(output: Path | None) -> str | None:
    """The dataset whose contract and suite belong into a folder under ``expectations``."""
    if output is None or output.suffix or "expectations" not in output.parts:
        return None
    return ".".join(output.parts[output.parts.index("expectations") + 1 :]) or None
