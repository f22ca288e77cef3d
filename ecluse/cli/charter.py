"""``ecluse charter``: whether it can work, what editors need to help with it, and what a change of it undoes."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.errors import DefinitionError
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.charterfile import Places
    from ecluse.gate import Doubt
    from ecluse.model.charter import Charter
    from ecluse.model.charterdiff import CharterDiff
    from ecluse.project import Project


@click.group("charter")
def group() -> None:
    """The charter: what the project is for, who answers for it, and what must hold.

    \b
    Example:
      ecluse charter check
      ecluse charter diff
    """


@group.command("check")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="End with exit code 2 where something is odd, too.")
@pass_session
def check(session: Session, file: Path | None, strict: bool) -> None:
    """Say whether a charter is one, and what in it can never come true.

    Everything is shown with line and column. Mistakes end with exit code 2. What is merely odd (a question that nobody
    may answer, a grant to a role that nobody holds, an overdue date) is listed.

    \b
    Example:
      ecluse charter check
      ecluse charter check --strict ../proposal/charter.yaml
    """
    from ecluse.charterfile import load_with_places
    from ecluse.cli.charter_parts import mistaken_parts
    from ecluse.gate import doubts

    path = file or session.project().root / "charter.yaml"
    charter, places = load_with_places(path)
    if mistaken := list(mistaken_parts(charter)):
        raise places.refuse(mistaken)
    found = doubts(charter, datetime.now(UTC).date())
    if session.json:
        as_json({"valid": True, "doubts": [_doubt_data(doubt, places) for doubt in found]})
    else:
        gates, parties = len(charter.gates), len(charter.parties)
        click.echo(say("cli.charter.valid", path=path.name, gates=gates, parties=parties, odd=len(found)))
        for doubt in found:
            click.echo(f"  {places.at(doubt.place)}: {doubt.text()}")
    if strict and found:
        click.get_current_context().exit(2)


def _doubt_data(doubt: Doubt, places: Places) -> dict[str, object]:
    line, column = places.find(doubt.place)
    return {"key": doubt.key, "text": doubt.text(), "line": line, "column": column, **doubt.fields}


@group.command("risks")
@pass_session
def risks(session: Session) -> None:
    """Say what is left of each risk, by the newest answers of the checks that control it.

    A risk is open while one of its checks is broken, and unknown while one was never asked or could not be computed.

    \b
    Example:
      ecluse charter risks
    """
    from ecluse.gate import Book, residual_risks

    with session.reading() as project:
        where = project.project
        book = Book(project.charter, list(project.log.facts()), project.trust.parties(), where.name, where.environment)
        found = residual_risks(project.charter, book)
    if session.json:
        as_json([{"risk": r.risk.id, "state": r.state, "owner": r.risk.owner, "controls": r.controls} for r in found])
        return
    as_table(
        [say(f"cli.column.{name}") for name in ("risk", "state", "owner", "check", "outcome", "partitions")],
        [
            (
                each.risk.id if first else "",
                say(f"cli.residual.{each.state}") if first else "",
                each.risk.owner if first else "",
                f"{control.dataset}:{control.check}" if control else None,
                say(f"cli.answer.{control.outcome or 'none'}") if control else None,
                ", ".join(control.partitions) if control else None,
            )
            for each in found
            for first, control in ((n == 0, c) for n, c in enumerate(each.controls or (None,)))
        ],
    )


@group.command("schema")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
def schema(file: Path | None) -> None:
    """Print the JSON Schema of charter.yaml, or write it to FILE, so that an editor completes and checks it.

    \b
    Example:
      ecluse charter schema charter.schema.json
    Then the charter's first line is:
      # yaml-language-server: $schema=charter.schema.json
    """
    from ecluse.charterfile import schema_text

    text = schema_text()
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        raise DefinitionError("cli.write", path=file, error=error.strerror or error) from error


@group.command("diff")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--since", metavar="REV", help="A revision in Git instead of a file. Default: HEAD.")
@pass_session
def diff(session: Session, file: Path | None, since: str | None) -> None:
    """Say what changed in the charter, and which approvals no longer count because of it.

    An approval binds its gate: criteria, approvals and purposes. To tighten a gate voids what was approved under the
    old one; to add a person, a key or a grant does not. To take somebody's role, key or training away voids what that
    person approved where it counts no more.

    \b
    Example:
      ecluse charter diff
      ecluse charter diff --since v1.0
      ecluse charter diff ../before/charter.yaml
    """
    from ecluse.charterfile import load_charter
    from ecluse.cli.voided import voided_answers
    from ecluse.model.charterdiff import charter_diff

    with session.reading() as project:
        before = load_charter(file) if file else _at_revision(project.project, since or "HEAD")
        # NOTE: the charter as it stands in the file: keys of a demo are no part of it.
        after = load_charter(project.project)
        found = charter_diff(before, after)
        voided = voided_answers(project, before, after, found.gates) if found.changes else []
    if session.json:
        as_json({"changes": found.changes, "gates": found.gates, "voided": voided})
        return
    _show(found, voided)


def _show(found: CharterDiff, voided: list[dict[str, object]]) -> None:
    if not found.changes:
        click.echo(say("cli.charter.same"))
        return
    as_table(
        [say(f"cli.column.{name}") for name in ("entry", "name", "change", "fields")],
        [(c.entry, c.name, say(f"cli.change.{c.what}"), ", ".join(c.fields)) for c in found.changes],
    )
    if not found.gates and not voided:
        click.echo(say("cli.charter.gates_same"))
        return
    if found.gates:
        click.echo(say("cli.charter.gates_changed", phases=", ".join(found.gates)))
    if not voided:
        click.echo(say("cli.charter.none_voided"))
        return
    names = ("release", "question", "verdict", "signer", "phase", "until")
    as_table(
        [say(f"cli.column.{name}") for name in names],
        [[say(f"cli.verdict.{v[name]}") if name == "verdict" else v[name] for name in names] for v in voided],
        title=say("cli.charter.voided"),
    )


def _at_revision(project: Project, revision: str) -> Charter:
    from ecluse.charterfile import read_charter

    done = subprocess.run(  # noqa: S603 - a list of arguments, and no shell
        ["git", "-C", str(project.root), "show", f"{revision}:./charter.yaml"],  # noqa: S607 - the user's own git
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DefinitionError("cli.charter_revision", revision=revision, error=done.stderr.strip().splitlines()[-1])
    return read_charter(done.stdout, Path(f"{revision}:charter.yaml"))
