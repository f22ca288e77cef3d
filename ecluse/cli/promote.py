"""``ecluse promote``: a release of this environment goes through the next one's gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ecluse.cli.run import line
from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.step.promote import Promotion


@click.command("promote")
@click.argument("dataset")
@click.option("--version", metavar="VERSION", help="The release. Default: the latest.")
@click.option("--to", "target", required=True, metavar="PROFILE", help="The profile of the next environment.")
@pass_session
def command(session: Session, dataset: str, version: str | None, target: str) -> None:
    """Carry a release from this profile's environment to the next one.

    This environment is only read. There, the released files are checked, published and released under the same version,
    and the people of that environment decide anew. Ends with 3 where the release isn't approved here.

    \b
    Example:
      ecluse promote products.delay_features --version 1.0.0 --to prod
    """
    from ecluse.door.definitions import Definitions
    from ecluse.door.records import Records
    from ecluse.orchestration.outbox import hand_on
    from ecluse.orchestration.runner import load_steps
    from ecluse.project import Project
    from ecluse.step.promote import promote
    from ecluse.step.services import open_services

    before = session.project()
    after = Project.find(before.root, target)
    # NOTE: read before the log, because a definition that can't be loaded is the cheaper mistake to find.
    steps = load_steps(after)
    source = Records.open(Definitions.of(before), read_only=True)
    try:
        services = open_services(after)
        tell = None if session.json else lambda result: click.echo(line(result))
        try:
            done = promote(source, services, steps, dataset, version, tell=tell)
        finally:
            hand_on(after, services)
            services.close()
    finally:
        source.close()
    if session.json:
        as_json(_data(done))
        return
    name = f"{dataset}@{done.manifest.version}"
    places = {"before": before.environment, "after": after.environment}
    click.echo(say("cli.promote.done" if done.results else "cli.promote.already", name=name, **places))
    click.echo(say("cli.promote.next", dataset=dataset, version=done.manifest.version, profile=after.profile))


def _data(done: Promotion) -> dict[str, object]:
    return {
        "digest": done.manifest.digest,
        "manifest": done.manifest.to_json(),
        "promoted_from": done.origin.to_json(),
        "already": not done.results,
        "steps": [
            {"dataset": r.dataset, "partition": r.partition, "ending": r.ending, "rows": r.rows} for r in done.results
        ],
    }
