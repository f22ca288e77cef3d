"""``ecluse hold``: what must not be deleted until somebody says so."""

from __future__ import annotations

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.texts import say

_party = click.option(
    "--as", "party", required=True, metavar="PARTY", help="Who decides: a person of the charter with a key here."
)
_reason = click.option("--reason", required=True, help="Why; it stays in the log.")
_passphrase = click.option(
    "--passphrase", envvar="ECLUSE_PASSPHRASE", help="Opens the key; better given in ECLUSE_PASSPHRASE."
)


@click.group("hold")
def group() -> None:
    """Legal holds: datasets of which nothing is deleted until the hold is lifted.

    \b
    Example:
      ecluse hold place case-17 clean.flights --as p-7f3a --reason "Requested by the court on 3 May."
    """


@group.command("place")
@click.argument("name")
@click.argument("datasets", nargs=-1, required=True, metavar="DATASET…")
@_party
@_reason
@_passphrase
@pass_session
def place(
    session: Session, name: str, datasets: tuple[str, ...], party: str, reason: str, passphrase: str | None
) -> None:
    """Hold every version of some datasets, candidates and quarantine included, and what they were made from.

    \b
    Example:
      ecluse hold place case-17 clean.flights --as p-7f3a --reason "Requested by the court on 3 May."
    """
    from ecluse.step.holds import place_hold

    with session.services(party, passphrase) as services:
        position = place_hold(services, services.signer, name, datasets, reason)
    if session.json:
        as_json({"hold": name, "datasets": datasets, "position": position})
    else:
        click.echo(say("cli.hold.placed", name=name, datasets=", ".join(datasets), position=position))


@group.command("lift")
@click.argument("name")
@_party
@_reason
@_passphrase
@pass_session
def lift(session: Session, name: str, party: str, reason: str, passphrase: str | None) -> None:
    """End a hold; what it held may expire from now on.

    \b
    Example:
      ecluse hold lift case-17 --as p-7f3a --reason "The case is closed."
    """
    from ecluse.step.holds import lift_hold

    with session.services(party, passphrase) as services:
        position = lift_hold(services, services.signer, name, reason)
    if session.json:
        as_json({"lifted": name, "position": position})
    else:
        click.echo(say("cli.hold.lifted", name=name, position=position))


@group.command("list")
@pass_session
def list_(session: Session) -> None:
    """List the holds that stand, with who placed them and why.

    \b
    Example:
      ecluse hold list
    """
    from ecluse.step.holds import holds

    with session.reading() as project:
        parties = project.trust.parties()
        found = [
            (h.name, ", ".join(h.datasets), h.since.isoformat(" ", "seconds"), _who(parties, h.key_ids), h.reason)
            for h in holds(project.log)
        ]
    names = ("name", "dataset", "at", "signer", "reason")
    if session.json:
        as_json([dict(zip(names, row, strict=True)) for row in found])
    elif found:
        as_table([say(f"cli.column.{name}") for name in names], found)
    else:
        click.echo(say("cli.hold.none"))


def _who(parties: dict[str, str], key_ids: frozenset[str]) -> str | None:
    """The parties behind keys; ``None`` where no key that signed it counts any more."""
    return ", ".join(sorted(parties.get(id, id[:12]) for id in key_ids)) or None
