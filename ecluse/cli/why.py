"""``ecluse why``: why a dataset is not published or not open, in words, with example rows and the next command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.errors import DefinitionError, EcluseError
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.cli.blocked import Blocked
    from ecluse.cli.reading import Reading
    from ecluse.model.release import Manifest
    from ecluse.model.verdict import Reason, Verdict

#: What to try for a reason, by the start of its key: the first that fits counts.
NEXT = (
    ("purpose_", "charter"),
    ("release_none", "release"),
    ("release_missing", "releases"),
    ("approval_", "approve"),
    ("rejected", "decisions"),
    ("withdrawn", "decisions"),
    ("unmet_checks", "check"),
    ("unmet_freshness", "check"),
    ("not_computed_freshness", "check"),
    ("unmet_quarantine", "quarantine"),
    ("", "report"),
)


@click.command("why")
@click.argument("dataset")
@click.option(
    "--purpose", metavar="ID", help="Why it is not open for this. Default: every purpose of the charter that names it."
)
@click.option("--version", metavar="VERSION", help="The release. Default: the newest.")
@click.option("--phase", metavar="ID", help="The phase. Default: the charter's.")
@pass_session
def command(session: Session, dataset: str, purpose: str | None, version: str | None, phase: str | None) -> None:
    """Say why a dataset is blocked or closed.

    Every reason, three example rows, and the next command. Ends with 3 where the door is closed for a purpose that
    was named.

    \b
    Example:
      ecluse why products.delay_features --purpose delay-prediction
    """
    from ecluse.cli.blocked import blocked_runs

    with session.reading() as project:
        runs = blocked_runs(project, dataset)
        purposes = [purpose] if purpose else _purposes(project, dataset)
        answers = {p: _verdict(session, dataset, p, version, phase) for p in purposes}
        if not runs and not answers and not project.warehouse.exists(dataset):
            known = ", ".join(name for name in project.warehouse.datasets() if not name.endswith("__quarantine"))
            raise DefinitionError("cli.unknown_dataset", dataset=dataset, known=known or "–")
        if session.json:
            as_json(_data(runs, answers))
        else:
            for run in runs:
                _tell_run(project, run)
            for asked, (manifest, verdict) in answers.items():
                _tell_verdict(dataset, asked, manifest, verdict)
            if not runs and not answers:
                click.echo(say("cli.why.nothing", dataset=dataset))
    if purpose and not answers[purpose][1].opens:
        click.get_current_context().exit(3)


def _purposes(project: Reading, dataset: str) -> list[str]:
    return [p.id for p in project.charter.purposes if p.allowed and dataset in p.datasets]


def _verdict(
    session: Session, dataset: str, purpose: str, version: str | None, phase: str | None
) -> tuple[Manifest | None, Verdict]:
    """The answer that ``ecluse.load`` would give here and now; nothing is handed over, so nothing is recorded."""
    from ecluse.door.identity import reader_of
    from ecluse.door.load import request_for
    from ecluse.door.records import Records

    records = Records.open(session.project().root)
    try:
        reader = reader_of(records, [dataset], purpose)
        manifest = records.find([dataset], version)
        request = request_for(records, reader, manifest, dataset, purpose, version, phase)
        return manifest, records.judge([request], manifest, records.project.now())
    finally:
        records.close()


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


def _tell_verdict(dataset: str, purpose: str, manifest: Manifest | None, verdict: Verdict) -> None:
    version = manifest.version if manifest else "–"
    click.echo(
        say("cli.why.open" if verdict.opens else "cli.why.refused", dataset=dataset, version=version, purpose=purpose)
    )
    for reason in verdict.reasons:
        click.echo(f"  - {reason.text()}")
    for warning in verdict.warnings:
        click.echo(f"  {say('cli.warning')} {warning.text()}")
    if verdict.reasons:
        click.echo(_next(dataset, purpose, version, verdict.reasons[0]))


def _next(dataset: str, purpose: str, version: str, reason: Reason) -> str:
    key = next(text for start, text in NEXT if reason.key.startswith(start))
    question = reason.fields.get("question", "data-valid")
    return say(f"cli.why.next.{key}", dataset=dataset, purpose=purpose, version=version, question=question)


def _data(runs: list[Blocked], answers: dict[str, tuple[Manifest | None, Verdict]]) -> dict[str, Any]:
    return {
        "blocked": runs,
        "purposes": [
            {
                "purpose": purpose,
                "version": manifest.version if manifest else None,
                "opens": verdict.opens,
                "reasons": [{"key": r.key, "text": r.text(), "facts": r.facts} for r in verdict.reasons],
                "warnings": [{"key": w.key, "text": w.text()} for w in verdict.warnings],
            }
            for purpose, (manifest, verdict) in answers.items()
        ],
    }
