"""``ecluse compact``: puts the small files of a dataset together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json
from ecluse.cli.working import working
from ecluse.errors import DefinitionError
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.engine import Watch


@click.command("compact")
@click.argument("dataset")
@click.option(
    "--file-mb",
    type=click.IntRange(min=1),
    default=512,
    show_default=True,
    help="How large a file may get, about, in megabytes.",
)
@pass_session
def command(session: Session, dataset: str, file_mb: int) -> None:
    """Put small files together, partition by partition: the same rows in the same order, proven before anything moves.

    A partition that has more files than its size needs is written anew as a whole. Readers, releases and older versions
    keep what they have; nothing that was made from the dataset has to run again. The dataset's suite is asked of the
    new files. Refused while a run works on one of the partitions.

    \b
    Example:
      ecluse compact clean.flights
    """
    from ecluse.orchestration.runless import tell_compaction
    from ecluse.orchestration.runner import load_steps
    from ecluse.step.compact import Compaction, compact

    with session.services() as services:
        steps = load_steps(services.project)
        if dataset not in steps:
            raise DefinitionError("cli.unknown_dataset", dataset=dataset, known=", ".join(sorted(steps)))

        def work(watch: Watch) -> Compaction:
            return compact(services, steps[dataset], file_mb * 2**20, watch)

        done = working(work, quietly=session.json)
        tell_compaction(services.project, done)
    if session.json:
        snapshot = None if done.snapshot_id is None else str(done.snapshot_id)
        as_json({**vars(done), "snapshot_id": snapshot})
    elif done.snapshot_id is None:
        click.echo(say("cli.compact.nothing", dataset=dataset))
    else:
        click.echo(
            say(
                "cli.compact.done",
                dataset=dataset,
                partitions=len(done.partitions),
                before=done.files_before,
                after=done.files_after,
                rows=done.rows,
            )
        )
