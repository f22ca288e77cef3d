"""``ecluse approve``: a person's signed answer to a question about a release."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json
from ecluse.errors import DefinitionError
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.step.releases import Decision

VERDICTS = ("approved", "rejected", "waived", "withdrawn")


@click.command("approve")
@click.argument("dataset")
@click.option("--version", metavar="VERSION", help="The release. Default: the newest.")
@click.option("--question", required=True, metavar="ID", help="What is answered, for example data-valid.")
@click.option(
    "--as", "party", required=True, metavar="PARTY", help="Who answers: a party of the charter with a key here."
)
@click.option("--reason", required=True, help="Why, in a sentence that stays in the log.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day on which it counts (approved, waived).")
@click.option("--phase", metavar="ID", help="The phase it is for. Default: the charter's.")
@click.option("--verdict", type=click.Choice(VERDICTS), default="approved", help="Default: approved.")
@click.option("--criterion", metavar="ID", help="With --verdict waived: the criterion that needn't hold.")
@click.option("--passphrase", envvar="ECLUSE_PASSPHRASE", help="Opens the key; better given in ECLUSE_PASSPHRASE.")
@pass_session
def approve(
    session: Session,
    dataset: str,
    version: str | None,
    question: str,
    party: str,
    reason: str,
    until: datetime | None,
    phase: str | None,
    verdict: str,
    criterion: str | None,
    passphrase: str | None,
) -> None:
    """Sign an answer to a question about a release.

    Approved, rejected, waived or withdrawn. The signature binds the release and the gate as they stand now: a later
    change to either needs a new answer.

    \b
    Example:
      ecluse approve products.delay_features --version 1.0.0 --question data-valid \\
          --as p-7f3a --reason "Counts agree with the airline's." --until 2027-06-30
    """
    from ecluse.ledger import signer_for
    from ecluse.step.releases import decide, find_release

    with session.services() as services:
        manifest = find_release(services, dataset, version)
        if manifest is None:
            raise DefinitionError("cli.unknown_release", dataset=dataset, version=version or say("cli.any"))
        signer = signer_for(services.project, services.charter, party, passphrase)
    # NOTE: opened again, because a demo's key that was just made counts from the next opening on.
    with session.services() as services:
        position = decide(
            services,
            signer,
            manifest,
            cast("Decision", verdict),
            question=question,
            reason=reason,
            expires=_end_of(until) if until else None,
            phase=phase,
            criterion=criterion,
        )
    if session.json:
        as_json({"position": position, "release": manifest.digest, "version": manifest.version, "verdict": verdict})
    else:
        name = f"{dataset}@{manifest.version}"
        click.echo(say(f"cli.approve.{verdict}", name=name, question=question, party=party, position=position))


def _end_of(day: datetime) -> datetime:
    return day.replace(hour=23, minute=59, second=59, tzinfo=UTC)
