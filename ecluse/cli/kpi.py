"""``ecluse kpi``: the values that the project is measured by, computed over gated data, as a series in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecluse import texts
from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.errors import DefinitionError
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.gate import Book, StandingKpi
    from ecluse.gate.book import Record
    from ecluse.model.charter import Charter, Kpi


@click.group("kpi")
def group() -> None:
    """The values that the project is measured by.

    \b
    Example:
      ecluse kpi observe auc
      ecluse kpi list
    """


@group.command("observe")
@click.argument("kpi")
@click.option("--version", metavar="VERSION", help="The release. Default: the latest that it can be computed on.")
@pass_session
def observe(session: Session, kpi: str, version: str | None) -> None:
    """Compute a KPI on a release, and record it as signed evidence.

    The charter holds its statement. It reads what was released and what is published, and nothing else.

    \b
    Example:
      ecluse kpi observe auc --version 1.0.0
    """
    from ecluse.step.kpi import observe_kpi

    with session.services() as services:
        found = observe_kpi(services, kpi, version)
    read = [
        {"name": s.name, "dataset": s.table.dataset, "snapshot": str(s.table.snapshot_id), "released": s.released}
        for s in found.read
    ]
    if session.json:
        release = {"release": found.manifest.digest, "version": found.manifest.version}
        as_json({"kpi": kpi, "value": found.value, "position": found.position, **release, "read": read})
        return
    name = ", ".join(f"{p.dataset}@{found.manifest.version}" for p in found.manifest.products)
    wanted = {"baseline": found.kpi.baseline, "target": found.kpi.target, "by": found.kpi.by}
    told = {"kpi": kpi, "value": found.value, "name": name, "position": found.position, **wanted}
    click.echo(texts.fill("deciding.kpi.observed", told))
    as_table(
        [say(f"cli.column.{name}") for name in ("name", "dataset", "snapshot", "how")],
        [
            (
                one["name"],
                one["dataset"],
                one["snapshot"],
                say(f"deciding.kpi.{'released' if one['released'] else 'published'}"),
            )
            for one in read
        ],
        title=say("deciding.kpi.read"),
    )


@group.command("list")
@click.argument("kpi", required=False)
@pass_session
def list_(session: Session, kpi: str | None) -> None:
    """Show every KPI beside its baseline and target, or one KPI's observations.

    Where the charter has a kill criterion, it is told below.

    \b
    Example:
      ecluse kpi list
      ecluse kpi list auc
    """
    from ecluse.cli.reading import book_of
    from ecluse.gate import standing_kpis

    with session.reading() as opened:
        charter, book, today = opened.charter, book_of(opened), opened.project.now().date()
    if kpi is not None:
        _one(session, charter, book, kpi)
        return
    found = [_standing(one) for one in standing_kpis(charter, book, today)]
    if session.json:
        as_json(found)
        return
    if not found:
        click.echo(say("deciding.kpi.none"))
        return
    as_table(
        [
            *(say(f"deciding.column.{name}") for name in ("kpi", "baseline", "target", "by", "newest")),
            say("cli.column.release"),
            say("deciding.column.state"),
        ],
        [
            (
                one["kpi"],
                f"{one['baseline']:.6g}",
                f"{one['target']:.6g}",
                one["by"],
                None if one["value"] is None else f"{one['value']:.6g}",
                one["release"],
                _state(one),
            )
            for one in found
        ],
    )
    if (kill := charter.kill_criterion) is not None:
        from ecluse.gate import wanted

        click.echo(say("deciding.kpi.kill", wanted=f"{kill.kpi} {wanted(kill)}", description=kill.description))


def _standing(one: StandingKpi) -> dict[str, Any]:
    kpi, newest = one.kpi, one.newest
    return {
        "kpi": kpi.id,
        "metric": kpi.metric,
        "baseline": kpi.baseline,
        "target": kpi.target,
        "by": kpi.by.isoformat(),
        "value": newest.value if newest else None,
        "release": newest.release if newest else None,
        "at": newest.at.isoformat() if newest else None,
        "fact": newest.position if newest else None,
        "state": one.progress,
        "overdue": one.overdue,
    }


def _state(one: dict[str, Any]) -> str:
    state = say(f"deciding.kpi.{one['state']}")
    return say("deciding.kpi.overdue", state=state) if one["overdue"] else state


def _one(session: Session, charter: Charter, book: Book, id: str) -> None:
    kpi = charter.kpi(id)
    if kpi is None:
        raise DefinitionError("step.kpi", kpi=id, known=", ".join(k.id for k in charter.kpis) or "–")
    series = [record for record in book.observations if record.text("kpi") == id]
    if session.json:
        as_json(
            [
                {
                    "fact": record.position,
                    "at": record.at,
                    "signer": [party.id for party in record.parties],
                    "counts": record.text("definition") == kpi.definition,
                    **{k: v for k, v in record.predicate.items() if k != "about"},
                }
                for record in series
            ]
        )
        return
    as_table(
        [
            say("cli.column.at"),
            *(say(f"deciding.column.{name}") for name in ("value", "change")),
            *(say(f"cli.column.{name}") for name in ("release", "signer")),
            say("deciding.column.how"),
            say("cli.column.position"),
        ],
        [_row(record, kpi) for record in series],
        title=kpi.metric,
    )


def _row(record: Record, kpi: Kpi) -> tuple[object, ...]:
    from ecluse.gate.book import number

    value = number(record.predicate, "value")
    how = "by_sql" if kpi.sql else "by_code"
    return (
        record.at.isoformat(" ", "seconds"),
        None if value is None else f"{value:.6g}",
        None if value is None else f"{value - kpi.baseline:+.6g}",
        record.names,
        ", ".join(party.id for party in record.parties),
        say(f"deciding.kpi.{how if record.text('definition') == kpi.definition else 'otherwise'}"),
        record.position,
    )
