"""``ecluse acknowledge``: a reader, or who answers for one, signs that a usage rule was read."""

from __future__ import annotations

import click

from ecluse.cli.ask import confirm
from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json
from ecluse.texts import say


@click.command("acknowledge")
@click.argument("rule")
@click.option(
    "--as", "party", required=True, metavar="PARTY", help="Who signs: a person of the charter with a key here."
)
@click.option("--passphrase", envvar="ECLUSE_PASSPHRASE", help="Opens the key; better given in ECLUSE_PASSPHRASE.")
@click.option("--yes", is_flag=True, help="Sign without asking; the rule's text is shown all the same.")
@pass_session
def command(session: Session, rule: str, party: str, passphrase: str | None, yes: bool) -> None:
    """Sign that a usage rule of the charter was read. Without it, data that the rule is for doesn't open.

    It counts for the person who signs, and for the services that this person answers for. A new version of the rule
    must be acknowledged again.

    \b
    Example:
      ecluse acknowledge no-single-people --as p-4f8a21
    """
    from ecluse.step.acknowledge import acknowledge, rule_of

    with session.services(party, passphrase) as services:
        found = rule_of(services, rule)
        click.echo(f"{found.id} ({found.version}): {found.text}", err=session.json)
        if not yes:
            confirm(say("cli.acknowledge.ask", party=party))
        position = acknowledge(services, services.signer, found)
    if session.json:
        as_json({"position": position, "rule": found.id, "version": found.version, "party": party})
    else:
        click.echo(say("cli.acknowledge.signed", rule=found.id, version=found.version, party=party, position=position))
