"""``ecluse access``: who read which data, for what purpose, and how it was shown."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.errors import DefinitionError
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.report.reads import Access


@click.group("access")
def group() -> None:
    """Who read which data, for what purpose.

    \b
    Example:
      ecluse access log --since 2026-01-01
    """


@group.command("log")
@click.option("--dataset", metavar="DATASET", help="Only requests for this dataset.")
@click.option("--reader", metavar="PARTY", help="Only requests by this party of the charter.")
@click.option("--since", type=click.DateTime(), help="Only requests since this moment (UTC).")
@pass_session
def log(session: Session, dataset: str | None, reader: str | None, since: datetime | None) -> None:
    """List the requests at the door, refused ones too, the oldest first.

    It reads the log of reads of this machine and profile; readers elsewhere have logs of their own.

    \b
    Example:
      ecluse access log --dataset products.delay_features --since 2026-01-01
    """
    from ecluse.report.reads import accesses

    with session.reading() as project:
        found = accesses(
            project.project,
            project.trust,
            dataset=dataset,
            reader=reader,
            since=None if since is None else since.replace(tzinfo=UTC),
        )
        # NOTE: that somebody misspelt read nothing would be taken for an answer.
        if reader is not None and not found and project.charter.party(reader) is None:
            known = ", ".join(party.id for party in project.charter.parties)
            raise DefinitionError("ledger.unknown_party", party=reader, known=known)
    if session.json:
        as_json([asdict(access) for access in found])
        return
    if not found:
        click.echo(say("cli.access.none"))
        return
    names = ("at", "reader", "dataset", "version", "purpose", "answer", "columns")
    as_table([say(f"cli.column.{name}") for name in names], [_row(access) for access in found])


def _row(access: Access) -> tuple[str, ...]:
    unproven = "" if access.authenticated else f" ({say('cli.access.unproven')})"
    answer = say("cli.access.open") if access.opens else say("cli.access.refused", reasons=", ".join(access.reasons))
    return (
        access.at.isoformat(" ", "seconds"),
        f"{access.reader or '–'}{unproven}",
        "\n".join(access.datasets),
        (access.version or "–") if access.released else say("cli.access.unreleased"),
        access.purpose,
        answer,
        "\n".join(_columns(access)),
    )


def _columns(access: Access) -> list[str]:
    """One line for each dataset and way in which columns of it were shown."""
    lines: dict[tuple[str, str], list[str]] = {}
    for column, way in access.columns.items():
        dataset = next((d for d in access.datasets if column.startswith(f"{d}.")), "")
        lines.setdefault((dataset, way), []).append(column.removeprefix(f"{dataset}."))
    return [_line(way, ", ".join(names)) for (_, way), names in lines.items()]


def _line(way: str, columns: str) -> str:
    return say("cli.access.columns_shown", way=say(f"cli.access.way.{way}"), columns=columns) if way else columns
