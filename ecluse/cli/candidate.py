"""``ecluse candidate``: what was computed and not published, kept on its branch for inspection."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from ecluse import texts
from ecluse.cli.ask import confirm
from ecluse.cli.comparing import comparing
from ecluse.cli.preview import show_preview
from ecluse.cli.run import line, result_data, show_results
from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.errors import DefinitionError
from ecluse.model.names import partition_of_branch, quarantine_name
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.cli.reading import Reading
    from ecluse.model.step import StepDefinition
    from ecluse.project import Project
    from ecluse.step.diff import Difference
    from ecluse.warehouse.candidate import Branch


@click.group("candidate")
def group() -> None:
    """What was computed but not published.

    A check stopped it, or a run is at work on it.

    \b
    Example:
      ecluse candidate list
    """


@group.command("list")
@pass_session
def list_(session: Session) -> None:
    """List candidates, with who holds them, and until when those are kept that nobody holds.

    \b
    Example:
      ecluse candidate list
    """
    with session.reading() as project:
        found = project.warehouse.candidates()
        kept = {b.branch: _kept(project, b) for b in found}
    if session.json:
        as_json([{**vars(b), "snapshot_id": str(b.snapshot_id), "kept_until": kept[b.branch]} for b in found])
    elif found:
        as_table(
            [say(f"cli.column.{name}") for name in ("branch", "lease", "holder", "until", "kept_until")],
            [(b.branch, say(f"cli.lease.{b.lease}"), b.holder, _time(b.expires), _time(kept[b.branch])) for b in found],
        )
        click.echo(say("cli.candidate.next", branch=found[0].branch))
    else:
        click.echo(say("cli.candidate.none"))


@group.command("show")
@click.argument("branch")
@pass_session
def show(session: Session, branch: str) -> None:
    """Show what a candidate holds and changes, and the checks that were asked of it.

    \b
    Example:
      ecluse candidate show clean.flights/2013-03/7d1f0a/1
    """
    with session.reading() as project:
        found = _find(project, branch)
        files = project.warehouse.files(found.dataset, found.snapshot_id)
        checks = _checks(project, found)
        kept = _kept(project, found)
        change = _change(project, found, quietly=session.json)
        moved = project.warehouse.head(found.dataset) != project.warehouse.stands_on(found.dataset, found.snapshot_id)
    rows = sum(f.rows for f in files)
    if session.json:
        said = {"branch": found, "kept_until": kept, "snapshot_rows": rows, "difference": change, "moved": moved}
        as_json({**said, "checks": checks})
        return
    click.echo(say("cli.candidate.holds", branch=found.branch, rows=rows, files=len(files)))
    if change is not None:
        click.echo(_changes(change))
    if moved:
        click.echo(say("cli.preview.moved", name=found.dataset))
    if kept is not None:
        click.echo(say("cli.candidate.kept", until=_time(kept)))
    as_table(
        [say(f"cli.column.{name}") for name in ("check", "severity", "outcome", "unexpected", "message")],
        [
            (
                c["name"],
                say(f"cli.severity.{c['severity']}"),
                say(f"cli.outcome.{c['outcome']}"),
                c["unexpected_count"],
                c["message"],
            )
            for c in checks
        ],
    )


@group.command("diff")
@click.argument("branch")
@pass_session
def diff(session: Session, branch: str) -> None:
    """Preview what publishing a candidate would change: rows by key, columns, and what today's checks observe.

    Counts only; a value is shown only where a check observes one of public columns.

    \b
    Example:
      ecluse candidate diff clean.flights/2013-03/7d1f0a/1
    """
    from ecluse.quality import guarded_suite
    from ecluse.step.preview import preview

    with session.reading() as project:
        found = _find(project, branch)
        definition = _step(project.project, found)
        compared = comparing(
            lambda engine: preview(
                engine,
                project.warehouse,
                guarded_suite(definition.guard, definition.name),
                found.snapshot_id,
                partition_of_branch(branch),
                key=definition.guard.contract.key,
                data_now=project.project.data_now(),
            ),
            quietly=session.json,
        )
    if session.json:
        as_json(compared)
    else:
        show_preview(compared)


@group.command("publish")
@click.argument("branch")
@pass_session
def publish(session: Session, branch: str) -> None:
    """Publish a candidate that was blocked or interrupted, if everything that is promised today holds.

    Nothing is computed again: its rows go through every stage of the step from the check on, with today's suite and
    contract. Where its update mode looks at what is published, they are held against what is published now. What blocks
    it still blocks it; then this ends with 2, and the candidate stays.

    \b
    Example:
      ecluse candidate publish clean.flights/2013-03/7d1f0a/1
    """
    import uuid

    from ecluse.orchestration.runless import tell_result
    from ecluse.step.run import run_step
    from ecluse.step.state import StepRequest

    with session.services() as services:
        with session.reading() as project:
            found = _find(project, branch)
        definition = _step(services.project, found)
        request = StepRequest(str(uuid.uuid4()), partition=partition_of_branch(branch), candidate=branch)
        result = run_step(definition, request, services)
        tell_result(services.project, definition, result)
    if session.json:
        as_json(result_data(result))
    else:
        click.echo(line(result))
        show_results([result])
    if not result.published:
        click.get_current_context().exit(2)


@group.command("discard")
@click.argument("branch")
@click.option("--yes", is_flag=True, help="Don't ask.")
@pass_session
def discard(session: Session, branch: str, yes: bool) -> None:
    """Delete a candidate with its files. What is or was published stays; so do the facts about its checks.

    \b
    Example:
      ecluse candidate discard clean.flights/2013-03/7d1f0a/1 --yes
    """
    with session.reading(writable=True) as project:
        found = _find(project, branch)
        if found.lease == "live":
            raise DefinitionError("cli.candidate_live", branch=branch, holder=found.holder, until=found.expires)
        if (hold := _hold(project, found.dataset)) is not None:
            raise DefinitionError("cli.candidate_held", branch=branch, hold=hold)
        if not yes:
            confirm(say("cli.candidate.sure", branch=branch))
        project.warehouse.discard(found)
    if session.json:
        as_json({"discarded": branch})
    else:
        click.echo(say("cli.candidate.discarded", branch=branch))


def _find(project: Reading, branch: str) -> Branch:
    found = project.warehouse.candidates()
    for candidate in found:
        if candidate.branch == branch:
            return candidate
    known = ", ".join(candidate.branch for candidate in found) or "–"
    raise DefinitionError("cli.unknown_candidate", branch=branch, known=known)


def _step(project: Project, found: Branch) -> StepDefinition:
    from ecluse.orchestration.runner import load_steps

    steps = load_steps(project)
    if found.dataset not in steps:
        raise DefinitionError("cli.unknown_dataset", dataset=found.dataset, known=", ".join(sorted(steps)))
    return steps[found.dataset]


def _hold(project: Reading, dataset: str) -> str | None:
    """The name of a legal hold on a dataset, or on what its quarantine belongs to."""
    from ecluse.step.holds import holds

    for hold in holds(project.log):
        if dataset in {name for held in hold.datasets for name in (held, quarantine_name(held))}:
            return hold.name
    return None


def _kept(project: Reading, found: Branch) -> datetime | str | None:
    """Until when a candidate is kept that nobody holds, or what holds it; ``None`` for one at work."""
    if found.lease == "live" or found.expires is None:
        return None
    if (hold := _hold(project, found.dataset)) is not None:
        return say("cli.candidate.hold", name=hold)
    return found.expires + project.project.candidates


def _time(moment: datetime | str | None) -> str | None:
    return moment.isoformat(" ", "seconds") if isinstance(moment, datetime) else moment


def _change(project: Reading, found: Branch, *, quietly: bool) -> Difference | None:
    """What a candidate changes, by the key that its step wrote down; ``None`` where it wrote nothing down."""
    from ecluse.step.preview import difference

    written = {candidate.branch: candidate.about for candidate in project.warehouse.recalled(found.dataset)}
    if found.branch not in written:
        return None
    key = written[found.branch]["unique"]
    return comparing(
        lambda engine: difference(engine, project.warehouse, found.dataset, found.snapshot_id, key), quietly=quietly
    )


def _changes(change: Difference) -> str:
    counts = {"added": change.added, "removed": change.removed, "changed": change.changed}
    by = "key" if change.key else "whole"
    return texts.fill(f"cli.candidate.changes_by_{by}", {**counts, "key": ", ".join(change.key)})


def _checks(project: Reading, found: Branch) -> list[dict[str, Any]]:
    """The checks of the newest evidence about the candidate's snapshot."""
    checks: list[dict[str, Any]] = []
    for signed in project.log.facts(kind="evidence"):
        said = signed.fact.predicate
        if said.get("about") == "check-report" and said.get("snapshot_id") == str(found.snapshot_id):
            checks = said["checks"]
    return checks
