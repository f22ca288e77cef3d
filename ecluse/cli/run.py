"""``ecluse run``: makes datasets, always as a Dagster run on the configured instance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from ecluse.cli.preview import show_preview
from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.cli.working import going
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.orchestration.runner import RunReport
    from ecluse.step.state import StepResult


@click.command("run")
@click.argument("datasets", nargs=-1, metavar="DATASET…")
@click.option("--partition", metavar="KEY", help="The partition to make, where the datasets are partitioned.")
@click.option("--dry-run", is_flag=True, help="Say what would change, be quarantined or blocked; publish nothing.")
@click.option("--force", is_flag=True, help="Compute again what was published from the same inputs.")
@pass_session
def command(session: Session, datasets: tuple[str, ...], partition: str | None, dry_run: bool, force: bool) -> None:
    """Make datasets: compute, check, publish what holds.

    A leading + takes what a dataset is made from too; without a name, everything is made. Ends with 2 where a dataset
    was blocked or failed; what was published before then stands as it was.

    \b
    Example:
      ecluse run clean.flights --partition 2013-01
      ecluse run +products.delay_features --dry-run
    """
    project = session.project()
    with going(say("cli.run.going"), quietly=session.json) as tell:
        # NOTE: Dagster and Great Expectations take seconds to import.
        from ecluse.orchestration import runner

        done = runner.run(
            project,
            datasets,
            partition=partition,
            dry_run=dry_run,
            force=force,
            tell=None if session.json else lambda result: tell(line(result)),
        )
    if session.json:
        as_json(_data(done))
    else:
        _details(done)
    if not done.success:
        click.get_current_context().exit(2)


def line(result: StepResult) -> str:
    """One step's ending in one line."""
    name = result.dataset + (f" [{result.partition}]" if result.partition else "")
    return say(f"cli.run.{result.ending}", name=name, rows=result.rows, quarantined=result.quarantined)


def _details(done: RunReport) -> None:
    show_results(done.results)
    told = {result.dataset for result in done.results if result.blocks}
    for dataset, failure in done.failures.items():
        if dataset not in told:
            click.echo(f"{dataset}: {failure}")
    if told:
        click.echo(say("cli.run.next", dataset=min(told)))


def show_results(results: Iterable[StepResult]) -> None:
    """Why steps were blocked, what they warn of, what left for quarantine, and what a dry run would change."""
    for result in results:
        for block in result.blocks:
            click.echo(f"  {result.dataset}: {block.text()}")
        for warning in result.warnings:
            click.echo(f"  {result.dataset}: {say('cli.warning')} {warning.text()}")
        if result.quarantine_by_check:
            rows = sorted(result.quarantine_by_check.items(), key=lambda item: -item[1])
            title = say("cli.run.quarantine", dataset=result.dataset)
            as_table([say("cli.column.check"), say("cli.column.rows")], rows, title=title)
        if result.preview is not None:
            show_preview(result.preview)


def _data(done: RunReport) -> dict[str, Any]:
    return {
        "run_id": done.run_id,
        "success": done.success,
        "failures": done.failures,
        "steps": [result_data(result) for result in done.results],
    }


def result_data(result: StepResult) -> dict[str, Any]:
    """A step's result as JSON."""
    found = {
        "dataset": result.dataset,
        "partition": result.partition,
        "ending": result.ending,
        "rows": result.rows,
        "quarantined": result.quarantined,
        "quarantine_by_check": dict(result.quarantine_by_check),
        "snapshot_id": str(result.snapshot_id) if result.snapshot_id else None,
        "blocks": [block.text() for block in result.blocks],
        "warnings": [warning.text() for warning in result.warnings],
        "branch": result.branch,
    }
    return found if result.preview is None else {**found, "preview": result.preview}
