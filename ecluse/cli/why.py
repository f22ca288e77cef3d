"""``ecluse why``: why a dataset is not published or not open, in words, with example rows and the next command."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.cli.ways import Asked, way_out, ways_out
from ecluse.errors import EcluseError
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.cli.blocked import Blocked
    from ecluse.cli.reading import Reading
    from ecluse.door.records import Records
    from ecluse.gate import Plan
    from ecluse.model.release import Manifest
    from ecluse.model.verdict import Reason, Verdict


@dataclass(frozen=True)
class Answer:
    """The verdict about a release, and what was asked of it."""

    manifest: Manifest | None
    verdict: Verdict
    asked: Asked


@click.command("why")
@click.argument("dataset")
@click.option(
    "--purpose", metavar="ID", help="Why it is not open for this. Default: every purpose of the charter that names it."
)
@click.option("--version", metavar="VERSION", help="The release. Default: the latest.")
@click.option("--phase", metavar="ID", help="The phase. Default: the charter's.")
@pass_session
def command(session: Session, dataset: str, purpose: str | None, version: str | None, phase: str | None) -> None:
    """Say why a dataset is blocked or closed.

    Every reason, three example rows, and the next command for each reason. Ends with 3 where the door is closed for a
    purpose that was named.

    \b
    Example:
      ecluse why products.delay_features --purpose delay-prediction
    """
    from ecluse.cli.blocked import blocked_runs
    from ecluse.cli.reading import require_known

    with session.reading() as project:
        runs = blocked_runs(project, dataset)
        purposes = [purpose] if purpose else _purposes(project, dataset)
        answers = [_answer(session, dataset, p, version, phase) for p in purposes]
        if not answers:
            require_known(project, dataset)
        if session.json:
            as_json(_data(runs, answers))
        else:
            for run in runs:
                _tell_run(project, run)
            for answer in answers:
                _tell_verdict(answer)
            if not runs and not answers:
                click.echo(say("cli.why.nothing", dataset=dataset))
    if purpose and not answers[0].verdict.opens:
        click.get_current_context().exit(3)


def _purposes(project: Reading, dataset: str) -> list[str]:
    return [p.id for p in project.charter.purposes if p.allowed and dataset in p.datasets]


def _answer(session: Session, dataset: str, purpose: str, version: str | None, phase: str | None) -> Answer:
    """What ``ecluse.load`` would say here and now; nothing is handed over, so nothing is recorded."""
    from ecluse.door.definitions import Definitions
    from ecluse.door.identity import reader_of
    from ecluse.door.load import allowed_charter, asked_manifest, request_for
    from ecluse.door.records import Records
    from ecluse.warehouse import Warehouse

    definitions = Definitions.of(session.project().root)
    allowed = allowed_charter(definitions.charter, version, phase)
    reader = reader_of(replace(definitions, charter=allowed), [dataset], purpose)
    records = Records.open(definitions, reader=reader)
    try:
        warehouse = Warehouse(records.project.warehouse, records.log.database)
        manifest = asked_manifest(records, warehouse, [dataset], version, phase)
        request = request_for(records, reader, manifest, dataset, purpose, version, phase)
        verdict = records.judge([request], manifest, records.project.now())
        plans = _plans(records, request.phase, manifest, verdict)
        said = (records.charter, dataset, request.version or "–", purpose, request.phase, reader.party)
        return Answer(manifest, verdict, Asked(*said, records.project.profile, plans))
    finally:
        records.close()


def _plans(records: Records, phase: str, manifest: Manifest | None, verdict: Verdict) -> dict[str, Plan]:
    """The release before the gate of the phase, and before those of the phases that were skipped."""
    from ecluse.gate import Book, asks_unreleased, plan

    project, charter = records.project, records.charter
    if manifest is None or verdict.opens or asks_unreleased(phase, charter):
        return {}
    book = Book(charter, records.facts, records.trust.parties(), project.name, project.environment)
    skipped = [str(reason.fields["skipped"]) for reason in verdict.reasons if reason.key == "phase_skipped"]
    return {one: plan(one, manifest, charter, book, project.now()) for one in (phase, *skipped)}


def _tell_run(project: Reading, run: Blocked) -> None:
    from ecluse.cli.blocked import candidate_of

    click.echo(say(f"cli.why.{run.outcome}", name=run.name))
    for reason in run.reasons:
        click.echo(f"  - {reason}")
    if run.checks:
        as_table(
            [say(f"cli.column.{name}") for name in ("check", "outcome", "unexpected", "rows")],
            [
                (c["name"], say(f"cli.outcome.{c['outcome']}"), c["unexpected_count"], c["element_count"])
                for c in run.checks
            ],
        )
    branch = candidate_of(project, run)
    if branch is None:
        click.echo(say("cli.why.next.run", dataset=run.dataset))
        return
    _show_examples(project, run, branch)
    click.echo(say("cli.why.next.candidate", branch=branch.branch))


def _show_examples(project: Reading, run: Blocked, branch: Any) -> None:
    from ecluse.cli.blocked import example_rows
    from ecluse.orchestration.runner import load_steps

    try:
        definition = load_steps(project.project)[run.dataset]
    except (EcluseError, KeyError):
        # NOTE: the definition may be what is wrong, or be gone; the reasons above stand without it.
        return
    rows = example_rows(project, definition, run, branch)
    if rows.rows:
        as_table(rows.columns, rows.rows, title=say("cli.why.examples"))


def _tell_verdict(answer: Answer) -> None:
    verdict, asked = answer.verdict, answer.asked
    said = {"dataset": asked.dataset, "version": asked.version, "purpose": asked.purpose}
    click.echo(say("cli.why.open" if verdict.opens else "cli.why.refused", **said))
    for reason in verdict.reasons:
        click.echo(f"  - {reason.text()}")
    for warning in verdict.warnings:
        click.echo(f"  {say('cli.warning')} {warning.text()}")
    for way in ways_out(verdict.reasons, asked):
        click.echo(way)


def _data(runs: list[Blocked], answers: list[Answer]) -> dict[str, Any]:
    return {
        "blocked": runs,
        "purposes": [
            {
                "purpose": answer.asked.purpose,
                "version": answer.manifest.version if answer.manifest else None,
                "opens": answer.verdict.opens,
                "reasons": [_reason(reason, answer.asked) for reason in answer.verdict.reasons],
                "warnings": [_reason(warning, answer.asked) for warning in answer.verdict.warnings],
            }
            for answer in answers
        ],
    }


def _reason(reason: Reason, asked: Asked) -> dict[str, Any]:
    return {"key": reason.key, "text": reason.text(), "facts": reason.facts, "next": way_out(reason, asked)}
