"""``ecluse key``: the keys of this machine."""

from __future__ import annotations

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.texts import say


@click.group("key")
def group() -> None:
    """The keys of this machine.

    They count where the charter lists their public half.

    \b
    Example:
      ecluse key new p-7f3a
    """


@group.command("new")
@click.argument("party")
@click.option("--passphrase/--no-passphrase", "protect", default=True, help="Ask for a passphrase (default).")
@pass_session
def new(session: Session, party: str, protect: bool) -> None:
    """Make an Ed25519 key for a party, and print what goes into the charter. The private half stays on this machine.

    \b
    Example:
      ecluse key new p-7f3a
    """
    from ecluse.ledger import new_key

    project = session.project()
    secret = None
    if protect:
        secret = click.prompt(say("cli.key.passphrase"), hide_input=True, confirmation_prompt=True)
    pair = new_key(project.keys, party, secret)
    if session.json:
        as_json({"party": pair.party, "key_id": pair.key_id, "public": pair.public, "file": pair.path})
        return
    click.echo(say("cli.key.made", party=party, path=pair.path))
    click.echo(f"  - public: {pair.public}\n    since: {project.now().isoformat(timespec='seconds')}")


@group.command("list")
@pass_session
def list_(session: Session) -> None:
    """List the keys on this machine, and whether they count.

    \b
    Example:
      ecluse key list
    """
    from ecluse.ledger import list_keys

    with session.reading() as opened:
        project = opened.project
        rows = [
            (
                pair.party,
                pair.key_id[:16],
                pair.encrypted,
                opened.trust.doubt(pair.key_id, None, project.now()) is None,
            )
            for pair in list_keys(project.keys)
        ]
    names = ("party", "key", "protected", "counts")
    if session.json:
        as_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    words = {True: say("cli.yes"), False: say("cli.no")}
    as_table(
        [say(f"cli.column.{name}") for name in names],
        [(party, key, words[protected], words[counts]) for party, key, protected, counts in rows],
    )
