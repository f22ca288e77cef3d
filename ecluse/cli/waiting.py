"""``ecluse waiting``: one inbox of what waits for whom."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from ecluse import texts
from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.cli.ways import incident_way
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.gate import Waiting


@click.command("waiting")
@click.option("--for", "person", metavar="PARTY", help="Only what waits for this party of the charter.")
@click.option("--within", type=click.IntRange(min=0), default=30, help="Tell so many days before it runs out. 30.")
@pass_session
def command(session: Session, person: str | None, within: int) -> None:
    """Show what waits for whom, since when, and the next command.

    Questions of releases, approvals that run out, trainings, usage rules, blocked runs and incidents that wait for
    the owner of the dataset, and the review of the charter.

    \b
    Example:
      ecluse waiting
      ecluse waiting --for p-4f8a21
    """
    from ecluse.cli.reading import book_of
    from ecluse.errors import DefinitionError
    from ecluse.gate import waiting
    from ecluse.report.people import called

    with session.reading() as opened:
        project, charter = opened.project, opened.charter
        if person is not None and charter.party(person) is None:
            known = ", ".join(party.id for party in charter.parties)
            raise DefinitionError("ledger.unknown_party", party=person, known=known)
        now = project.now()
        found = waiting(charter, book_of(opened), now, timedelta(days=within))
    # NOTE: what waits for everybody waits for each.
    mine = [one for one in found if person is None or person in one.people or _for_everybody(one)]
    if session.json:
        as_json([{**vars(one), "text": _text(one), "next": _next(one, person)} for one in mine])
        return
    if not mine:
        click.echo(say("deciding.waiting.nothing_for" if person else "deciding.waiting.nothing", party=person))
        return
    as_table(
        [say(f"deciding.column.{name}") for name in ("who", "what", "age", "due")],
        [
            (
                ", ".join(called(project, one) for one in each.people) or _nobody(each),
                _text(each),
                _age(each, now),
                f"{each.due:%Y-%m-%d}" if each.due else None,
            )
            for each in mine
        ],
    )
    for step in dict.fromkeys(_next(one, person) for one in mine):
        click.echo(f"  {step}")


def _for_everybody(one: Waiting) -> bool:
    """The review of the charter, and what stops the project as a whole."""
    return one.kind == "review" or (one.kind == "incident" and "dataset" not in one.fields)


def _nobody(one: Waiting) -> str:
    return say("deciding.waiting.everybody" if _for_everybody(one) else "deciding.waiting.nobody")


def _age(one: Waiting, now: datetime) -> str:
    return say("deciding.waiting.days", days=max(0, (now - one.since).days))


def _text(one: Waiting) -> str:
    if one.reason is not None:
        touched = one.fields["releases"]
        return one.reason.text() + (say("deciding.incidents.touches", releases=touched) if touched else "")
    fields: dict[str, object] = {**one.fields}
    fields["version"] = fields.get("release", fields.get("version", ""))
    kind = "approval_unmet" if one.kind == "approval" and one.fields["unmet"] else one.kind
    return texts.fill(f"deciding.waiting.{kind}", fields)


def _next(one: Waiting, person: str | None) -> str:
    if one.reason is not None:
        return incident_way(one.reason, one.fields)
    people = (person,) if person and person in one.people else one.people
    key = "approval_nobody" if one.kind == "approval" and not people else one.kind
    fields: dict[str, object] = {"party": "|".join(people), **one.fields, "person": "|".join(people)}
    fields["version"] = fields.get("release", fields.get("version", ""))
    return texts.fill(f"deciding.next.{key}", fields)
