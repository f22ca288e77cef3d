"""``ecluse db``: the version of the project's database, and the way to the next one."""

from __future__ import annotations

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json
from ecluse.texts import say


@click.group("db")
def group() -> None:
    """The project's database: its version, and upgrades.

    \b
    Example:
      ecluse db status
    """


@group.command("status")
@pass_session
def status(session: Session) -> None:
    """Say which version the database has, and what an upgrade would do. Nothing is changed.

    \b
    Example:
      ecluse db status
    """
    from ecluse.store import Database, planned

    found = planned(Database(session.project().database_url))
    if session.json:
        as_json({"version": found.before, "wanted": found.after, "steps": found.steps})
    elif found.before == found.after:
        click.echo(say("cli.db.current", version=found.after))
    else:
        click.echo(say("cli.db.behind", before=found.before, after=found.after))
        for step in found.steps:
            click.echo(f"  {step}")


@group.command("upgrade")
@pass_session
def upgrade(session: Session) -> None:
    """Bring the database to the version of this Écluse, in one transaction: wholly, or not at all.

    Nothing else upgrades a database. It is refused while a run holds a lease. Facts stay as they were signed. Make a
    copy first: there is no way back but the copy.

    \b
    Example:
      ecluse db upgrade
    """
    from ecluse.store import Database
    from ecluse.store import upgrade as upgraded

    found = upgraded(Database(session.project().database_url))
    if session.json:
        as_json({"before": found.before, "version": found.after, "steps": found.steps})
    elif not found.steps:
        click.echo(say("cli.db.current", version=found.after))
    else:
        click.echo(say("cli.db.upgraded", before=found.before, after=found.after))
        for step in found.steps:
            click.echo(f"  {step}")
