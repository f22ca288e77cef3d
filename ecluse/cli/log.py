"""``ecluse log``: the signed, append-only record of what happened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.cli.working import working
from ecluse.errors import LedgerError
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.engine import Watch
    from ecluse.ledger import LogState


@click.group("log")
def group() -> None:
    """The signed record of what happened.

    Runs, publications, releases, evidence, decisions.

    \b
    Example:
      ecluse log verify
    """


@group.command("list")
@click.option("--kind", metavar="KIND", help="Only facts of this kind, for example decision.")
@click.option("--limit", default=30, show_default=True, help="How many, the newest last.")
@pass_session
def list_(session: Session, kind: str | None, limit: int) -> None:
    """List the newest facts.

    \b
    Example:
      ecluse log list --kind decision
    """
    with session.reading() as project:
        found = [(signed, project.who(signed)) for signed in project.log.facts(kind=kind)][-limit:]
    rows = [
        (s.position, s.fact.at.isoformat(" ", "seconds"), s.fact.kind, _about(s.fact.predicate, s.fact.subjects), who)
        for s, who in found
    ]
    names = ("position", "at", "kind", "about", "signer")
    if session.json:
        as_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        as_table([say(f"cli.column.{name}") for name in names], rows)


def _about(predicate: dict[str, Any], subjects: tuple[Any, ...]) -> str:
    words = [predicate.get(name) for name in ("dataset", "partition", "outcome", "verdict", "question", "kpi")]
    return " ".join(str(word) for word in words if word) or ", ".join(subject.name for subject in subjects)


@group.command("verify")
@click.option(
    "--checkpoint", type=click.Path(path_type=Path), metavar="FILE", help="A checkpoint that the log must extend."
)
@click.option(
    "--from",
    "start",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A checkpoint that you kept yourself: what stands before it is compared with its root, and its signatures "
    "aren't verified again.",
)
@click.option("--export", "exported", type=click.Path(path_type=Path), metavar="FILE", help="An exported log instead.")
@pass_session
def verify(session: Session, checkpoint: Path | None, start: Path | None, exported: Path | None) -> None:
    """Verify every fact, their order and their signatures; with a checkpoint, also that nothing was cut off since.

    \b
    Example:
      ecluse log verify --checkpoint kept-elsewhere.json
    """
    from ecluse.ledger import read_checkpoint, verify_export

    with session.reading() as project:
        kept, vouched = (read_checkpoint(file, project.trust) if file else None for file in (checkpoint, start))
        against = [kept] if kept else []

        def work(watch: Watch) -> LogState:
            watch.stage = "verifying"
            if exported:
                return verify_export(
                    exported, project.trust, against, vouched=vouched, passed=watch.reached, every_core=True
                )
            watch.total = project.log.size
            return project.log.verify(against=against, vouched=vouched, passed=watch.reached, every_core=True)

        state = working(work, quietly=session.json)
    before = vouched.size if vouched else 0
    if session.json:
        as_json({"size": state.size, "root": state.root, "vouched": before})
        return
    click.echo(say("cli.log.holds" if kept or vouched else "cli.log.holds_alone", size=state.size, root=state.root))
    if vouched:
        click.echo(say("cli.log.vouched", vouched=before, at=vouched.at.isoformat(" ", "seconds")))


@group.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@pass_session
def export(session: Session, file: Path) -> None:
    """Write every fact to a file, one JSON line each, for an auditor without this database.

    \b
    Example:
      ecluse log export log.ndjson
    """
    with session.reading() as project:
        count = project.log.export(file)
    if session.json:
        as_json({"facts": count, "file": file})
    else:
        click.echo(say("cli.log.exported", count=count, file=file))


@group.command("checkpoint")
@click.argument("file", type=click.Path(path_type=Path))
@pass_session
def checkpoint(session: Session, file: Path) -> None:
    """Verify the log, sign its size and root, and write them to a file. Keep it where the log's operator can't write.

    \b
    Example:
      ecluse log checkpoint kept-elsewhere.json
    """
    from ecluse.ledger import open_checkpoint

    with session.services() as services:

        def work(watch: Watch) -> dict[str, Any]:
            watch.stage, watch.total = "verifying", services.log.size
            return services.log.checkpoint(services.signer, passed=watch.reached, every_core=True)

        envelope = working(work, quietly=session.json)
        # NOTE: of the checkpoint, and not of the log, to which somebody may have added meanwhile.
        size = open_checkpoint(envelope, services.trust).size
    try:
        file.write_text(json.dumps(envelope, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise LedgerError("cli.write", path=file, error=error.strerror) from error
    if session.json:
        as_json({"facts": size, "file": file})
    else:
        click.echo(say("cli.log.checkpoint", size=size, file=file))
