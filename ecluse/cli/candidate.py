"""``ecluse candidate``: what was computed and not published, kept on its branch for inspection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.errors import DefinitionError
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.cli.reading import Reading
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
    """List candidates, with who holds them and until when.

    \b
    Example:
      ecluse candidate list
    """
    with session.reading() as project:
        found = project.warehouse.candidates()
    if session.json:
        as_json(found)
    elif found:
        as_table(
            [say(f"cli.column.{name}") for name in ("branch", "lease", "holder", "until")],
            [(b.branch, say(f"cli.lease.{b.lease}"), b.holder, b.expires) for b in found],
        )
        click.echo(say("cli.candidate.next", branch=found[0].branch))
    else:
        click.echo(say("cli.candidate.none"))


@group.command("show")
@click.argument("branch")
@pass_session
def show(session: Session, branch: str) -> None:
    """Show what a candidate holds, and the checks that were asked of it.

    \b
    Example:
      ecluse candidate show clean.flights/2013-03/7d1f0a/1
    """
    with session.reading() as project:
        found = _find(project, branch)
        files = project.warehouse.files(found.dataset, found.snapshot_id)
        checks = _checks(project, found)
    rows = sum(f.rows for f in files)
    if session.json:
        as_json({"branch": found, "snapshot_rows": rows, "checks": checks})
        return
    click.echo(say("cli.candidate.holds", branch=found.branch, rows=rows, files=len(files)))
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
        if not yes:
            click.confirm(say("cli.candidate.sure", branch=branch), abort=True)
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


def _checks(project: Reading, found: Branch) -> list[dict[str, Any]]:
    """The checks of the newest evidence about the candidate's snapshot."""
    checks: list[dict[str, Any]] = []
    for signed in project.log.facts(kind="evidence"):
        said = signed.fact.predicate
        if said.get("about") == "check-report" and said.get("snapshot_id") == str(found.snapshot_id):
            checks = said["checks"]
    return checks
