"""``ecluse people``: the parties of the charter, and their names, which stand on this machine only."""

from __future__ import annotations

from typing import Any

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.errors import DefinitionError
from ecluse.texts import say


@click.group("people")
def group() -> None:
    """Who is who: parties by id, with names where this machine knows them.

    Names stand in people.toml in the profile's own folder, which Git ignores. The log holds ids only, so a name can be
    erased, and everything that was signed still counts.

    \b
    Example:
      ecluse people list
      ecluse people name p-4f8a21 "Ada Example"
    """


@group.command("list")
@pass_session
def list_(session: Session) -> None:
    """List the parties of the charter with their roles, and their names where they are known here.

    \b
    Example:
      ecluse people list
    """
    from ecluse.report.people import names_of

    with session.reading() as opened:
        names, today = names_of(opened.project), opened.project.now().date()
        found: list[dict[str, Any]] = [
            {
                "party": party.id,
                "name": names.get(party.id),
                "roles": [role.name for role in party.roles if role.held(today)],
                "attests": list(party.attests),
            }
            for party in opened.charter.parties
        ]
    if session.json:
        as_json(found)
        return
    columns = [say("cli.column.party"), *(say(f"deciding.column.{name}") for name in ("name", "roles"))]
    as_table(columns, [(one["party"], one["name"], ", ".join(one["roles"] or one["attests"])) for one in found])


@group.command("name")
@click.argument("party")
@click.argument("name")
@pass_session
def name_(session: Session, party: str, name: str) -> None:
    """Let this machine know a party by a name.

    \b
    Example:
      ecluse people name p-4f8a21 "Ada Example"
    """
    from ecluse.charterfile import load_charter
    from ecluse.report.people import FILE, set_name

    project = session.project()
    charter = load_charter(project)
    if charter.party(party) is None:
        raise DefinitionError("ledger.unknown_party", party=party, known=", ".join(p.id for p in charter.parties))
    if not name.strip() or not name.isprintable():
        raise click.UsageError("NAME is empty, or holds what can't be printed.")
    set_name(project, party, name)
    _tell(session, "named", party=party, name=name, file=str(project.state / FILE))


@group.command("forget")
@click.argument("party")
@pass_session
def forget(session: Session, party: str) -> None:
    """Erase a name from this machine. Nothing that the party signed is lost.

    \b
    Example:
      ecluse people forget p-4f8a21
    """
    from ecluse.report.people import FILE, set_name

    project = session.project()
    done = set_name(project, party, None)
    _tell(session, "forgotten" if done else "unnamed", party=party, file=str(project.state / FILE))


def _tell(session: Session, what: str, **fields: str) -> None:
    if session.json:
        as_json({"done": what, **fields})
    else:
        click.echo(say(f"deciding.people.{what}", **fields))
