"""``ecluse check``: asks a dataset's suite of what is published, and signs the answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.errors import DefinitionError
from ecluse.texts import fill, say

if TYPE_CHECKING:
    from ecluse.model.outcome import CheckReport, CheckResult
    from ecluse.step.services import Services


@click.command("check")
@click.argument("dataset")
@click.option(
    "--at", type=click.DateTime(), help="The moment (UTC) at which freshness is judged. Default: the profile's."
)
@pass_session
def command(session: Session, dataset: str, at: datetime | None) -> None:
    """Check what is published.

    Asks the dataset's current suite, freshness included; the answer is signed evidence. A broken check closes the
    door for later loads; the published rows stay. Ends with 2 where a check blocks.

    \b
    Example:
      ecluse check clean.flights
    """
    from ecluse.model.outcome import Outcome
    from ecluse.orchestration.runless import tell_check
    from ecluse.orchestration.runner import load_steps
    from ecluse.step.recheck import check_published

    with session.services() as services:
        steps = load_steps(services.project)
        if dataset not in steps:
            raise DefinitionError("cli.unknown_dataset", dataset=dataset, known=", ".join(sorted(steps)))
        report = check_published(services, steps[dataset], at.replace(tzinfo=UTC) if at else None)
        tell_check(services.project, steps[dataset], report)
        decided = waived_lines(services, report)
    if session.json:
        as_json(_data(report))
    else:
        show_checks(report)
        for line in decided:
            click.echo(line)
        click.echo(_ending(report))
    if report.outcome is not Outcome.HELD:
        click.get_current_context().exit(2)


def _ending(report: CheckReport) -> str:
    """What the checks come to, in one line: warnings and rows that a person released close no door, and are named."""
    aside = ", ".join(c.name for c in report.checks if c.outcome != "held")
    key = "aside" if aside and report.outcome == "held" else report.outcome
    return say(f"cli.check.{key}", dataset=report.dataset, rows=report.rows, checks=aside)


def show_checks(report: CheckReport) -> None:
    """A report as a table: what doesn't hold first."""
    order = {"broken": 0, "not_computed": 1, "held": 2}
    as_table(
        [say(f"cli.column.{name}") for name in ("check", "severity", "outcome", "unexpected", "message")],
        [
            (c.name, say(f"cli.severity.{c.severity}"), say(f"cli.outcome.{c.outcome}"), c.unexpected_count, _said(c))
            for c in sorted(report.checks, key=lambda c: order[c.outcome])
        ],
    )


def _said(check: CheckResult) -> str:
    return say("cli.check.waived_rows", rows=check.waived) if check.waived else check.message


def waived_lines(services: Services, report: CheckReport) -> list[str]:
    """Who released the rows that checks of a report are waived from, and why: one line for each decision."""
    from ecluse.model.leaving import waivers

    names = {check.name for check in report.checks if check.waived}
    found = []
    for waiver in waivers(services.log.facts(kind="decision"), report.dataset):
        if waived := sorted(names & {name for checks in waiver.rows.values() for name in checks}):
            parties = services.trust.parties()
            said = {
                "rows": len(waiver.rows),
                "checks": ", ".join(waived),
                "party": ", ".join(sorted(parties.get(id, id[:12]) for id in waiver.key_ids)),
                "at": waiver.at.date().isoformat(),
                "reason": waiver.reason,
                "position": waiver.position,
            }
            found.append(fill("cli.check.waived", said))
    return found


def _data(report: CheckReport) -> dict[str, Any]:
    return {
        "dataset": report.dataset,
        "outcome": report.outcome,
        "rows": report.rows,
        "checks": [
            {
                "name": c.name,
                "severity": c.severity,
                "outcome": c.outcome,
                "unexpected_count": c.unexpected_count,
                "element_count": c.element_count,
                "waived": c.waived,
                "message": c.message,
            }
            for c in report.checks
        ],
    }
