"""``ecluse key``: the keys of this machine."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.texts import say


@click.group("key")
def group() -> None:
    """The keys of this machine, and those that count.

    A key counts where the charter lists its public half.

    \b
    Example:
      ecluse key new p-7f3a
      ecluse key revoke p-7f3a
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
        secret = click.prompt(say("cli.key.passphrase"), hide_input=True, confirmation_prompt=say("cli.key.again"))
    pair = new_key(project.keys, party, secret)
    if session.json:
        as_json({"party": pair.party, "key_id": pair.key_id, "public": pair.public, "file": pair.path})
        return
    click.echo(say("cli.key.made", party=party, path=pair.path))
    click.echo(f"  - public: {pair.public}\n    since: {project.now().isoformat(timespec='seconds')}")


@group.command("external")
@click.argument("party")
@click.argument("uri")
@pass_session
def external(session: Session, party: str, uri: str) -> None:
    """Show what goes into the charter and the profile for a key on a token, in a key service or in an SSH agent.

    URI is hsm:NUMBER?label=LABEL for a smart card, a YubiKey or an HSM, awskms:KEY for AWS KMS, where KEY is an id, an
    ARN or an alias, and ssh-agent:KEY for an SSH agent, where KEY is a comment or a fingerprint, and may be left out
    where the agent holds one key. The key is P-256; in an agent it may be Ed25519. It is made there, with the tool of
    the token's maker, of AWS or of SSH. For a token, PYKCS11LIB names its maker's library, and its PIN is read from
    ECLUSE_PASSPHRASE. For AWS KMS, region and credentials are those that AWS's own tools find. An agent is found
    through SSH_AUTH_SOCK.

    \b
    Example:
      ecluse key external s-pipeline "hsm:2?label=ecluse"
      ecluse key external s-pipeline awskms:alias/ecluse
      ecluse key external p-7f3a ssh-agent:ada@laptop
    """
    from ecluse.ledger import public_at, scheme_of

    project = session.project()
    public = public_at(uri, os.environ.get("ECLUSE_PASSPHRASE"))
    if session.json:
        as_json({"party": party, "public": public, "scheme": scheme_of(public), "uri": uri})
        return
    click.echo(say("cli.key.external", party=party, uri=uri))
    since = project.now().isoformat(timespec="seconds")
    click.echo(f"  - public: {public}\n    scheme: {scheme_of(public)}\n    since: {since}")
    click.echo(say("cli.key.profile"))
    click.echo(f'  [tool.ecluse.profiles.{project.profile}.signers]\n  {party} = "{uri}"')


@group.command("list")
@pass_session
def list_(session: Session) -> None:
    """List the keys of this machine and those that the charter lists, and whether they count.

    \b
    Example:
      ecluse key list
    """
    from ecluse.ledger import list_keys

    with session.reading() as opened:
        project, trust = opened.project, opened.trust
        here = {pair.key_id: pair for pair in list_keys(project.keys)}
        parties = {id: pair.party for id, pair in here.items()} | trust.parties()
        rows = [
            (
                party,
                id[:16],
                here[id].encrypted if id in here else None,
                trust.doubt(id, None, project.now()) is None,
                trust.ends(id),
            )
            for id, party in sorted(parties.items(), key=lambda found: (found[1], found[0]))
        ]
    names = ("party", "key", "protected", "counts", "until")
    if session.json:
        as_json([dict(zip(names, row, strict=True)) | {"here": row[2] is not None} for row in rows])
        return
    words = {True: say("cli.yes"), False: say("cli.no"), None: say("cli.key.elsewhere")}
    as_table(
        [say(f"cli.column.{name}") for name in names],
        [
            (party, key, words[protected], words[counts], ends and ends.isoformat(" ", "seconds"))
            for party, key, protected, counts, ends in rows
        ],
    )


@group.command("revoke")
@click.argument("party")
@click.argument("key", required=False)
@click.option("--at", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"]), help="From when on. Default: now.")
@pass_session
def revoke(session: Session, party: str, key: str | None, at: datetime | None) -> None:
    """Say in charter.yaml that a key counts no more: it was lost, or somebody else may have it.

    KEY is the beginning of its id, as ecluse key list shows it; it may be left out where the party has one key. What
    the key signed before that time still counts. It appends nothing more, whatever time a fact claims. Nothing else
    in the file changes. Commit it.

    \b
    Example:
      ecluse key revoke p-7f3a
      ecluse key revoke p-7f3a 2fde32fa --at 2026-11-20
    """
    from ecluse.charteredit import revoke_key
    from ecluse.charterfile import load_charter
    from ecluse.ledger import Log, trust_of, unrevoked_key

    project = session.project()
    path = project.root / "charter.yaml"
    id, public = unrevoked_key(load_charter(path), party, key)
    time = (at or project.now()).replace(microsecond=0)
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    charter = revoke_key(path, public, time)
    with session.reading() as opened:
        log = Log(opened.database, trust_of(charter, project))
        lost = len([signed for signed in opened.log.facts() if id in signed.key_ids])
        lost -= len([signed for signed in log.facts() if id in signed.key_ids])
    if session.json:
        as_json({"party": party, "key_id": id, "public": public, "revoked": time, "facts_lost": lost})
        return
    click.echo(say("cli.key.revoked", party=party, key=id[:16], at=time.isoformat(" "), path=path))
    if lost:
        click.echo(say("cli.key.lost", count=lost))
