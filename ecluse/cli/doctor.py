"""``ecluse doctor``: what is set up, reachable, readable and writable, and by whom."""

from __future__ import annotations

import getpass
import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.errors import EcluseError
from ecluse.project import Project
from ecluse.texts import say

State = Literal["good", "note", "bad"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what it is, how it stands, and the details."""

    name: str
    state: State
    detail: str


def _installed(_project: Project) -> Iterator[Finding]:
    yield Finding("python", "good", f"{platform.python_version()}, {platform.system()} {platform.machine()}")
    parts = (("dagster", "dagster", "build"), ("gx", "great_expectations", "build"), ("polars", "polars", "polars"))
    for extra, module, needed in parts:
        there = find_spec(module) is not None
        detail = say("cli.doctor.installed") if there else say(f"cli.doctor.absent_{needed}", extra=extra)
        yield Finding(extra, "good" if there else "note", detail)


def _project(project: Project) -> Iterator[Finding]:
    detail = say("cli.doctor.project", root=project.root, profile=project.profile, environment=project.environment)
    yield Finding("project", "good", detail)


def _charter(project: Project) -> Iterator[Finding]:
    from ecluse.charterfile import load_charter

    charter = load_charter(project)
    detail = say(
        "cli.doctor.charter", phase=charter.phase, parties=len(charter.parties), purposes=len(charter.purposes)
    )
    yield Finding("charter", "good", detail)


def _database(project: Project) -> Iterator[Finding]:
    from ecluse.store import Database

    database = Database(project.database_url)
    if database.file is not None and not database.file.is_file():
        yield Finding("database", "note", say("cli.doctor.not_yet", path=database.shown))
        return
    try:
        yield _may("database", database.shown, database.rights())
    finally:
        database.close()


def _log(project: Project) -> Iterator[Finding]:
    from ecluse.cli.reading import reading

    with reading(project) as opened:
        size = opened.log.size
        for _ in opened.log.facts():
            pass
        skipped = opened.log.skipped
        waiting = opened.events.waiting()
    if skipped:
        position, doubt = next(iter(skipped.items()))
        detail = say("cli.doctor.skipped", count=len(skipped), position=position, why=doubt.part("received"))
        yield Finding("log", "bad", detail)
    else:
        yield Finding("log", "good", say("cli.doctor.log", size=size))
    yield Finding("outbox", "good", say("cli.doctor.outbox", waiting=waiting))


def _keys(project: Project) -> Iterator[Finding]:
    from ecluse.ledger import list_keys

    for party, uri in project.signers:
        yield Finding("keys", "note", say("cli.doctor.keys_elsewhere", party=party, uri=uri))
    pairs = list_keys(project.keys)
    if not pairs and project.signers:
        return
    if not pairs:
        key = "cli.doctor.keys_later" if project.makes_keys else "cli.doctor.keys_none"
        yield Finding("keys", "note", say(key, folder=project.keys))
        return
    loose = [pair.path.name for pair in pairs if pair.path.stat().st_mode & 0o077]
    if loose:
        yield Finding("keys", "bad", say("cli.doctor.keys_loose", files=", ".join(loose)))
    else:
        yield Finding("keys", "good", say("cli.doctor.keys", parties=", ".join(sorted({p.party for p in pairs}))))


def _rights(project: Project) -> Iterator[Finding]:
    """Whoever can write these files can go around the door, which the threat model says and this line shows."""
    for name, path in (("raw", project.raw), ("state", project.state)):
        if not path.exists():
            yield Finding(name, "note", say("cli.doctor.not_yet", path=path))
            continue
        rights = ("r" if os.access(path, os.R_OK) else "-") + ("w" if os.access(path, os.W_OK) else "-")
        yield _may(name, path, rights)


def _warehouse(project: Project) -> Iterator[Finding]:
    place = project.warehouse
    if isinstance(place, Path) and not place.exists():
        yield Finding("warehouse", "note", say("cli.doctor.not_yet", path=place))
        return
    from ecluse.warehouse import open_store

    yield _may("warehouse", place, open_store(place).rights())


def _may(name: str, place: object, rights: str) -> Finding:
    user = getpass.getuser()
    # NOTE: who can read goes around the grants, as who can write goes around everything.
    return Finding(
        name, "good" if rights == "--" else "note", say(f"cli.doctor.rights.{rights}", path=place, user=user)
    )


def _dagster(project: Project) -> Iterator[Finding]:
    home = os.environ.get("DAGSTER_HOME")
    if home is None:
        yield Finding("dagster_home", "good", say("cli.doctor.home_default", path=project.root / "dagster_home"))
    elif not Path(home).is_absolute():
        yield Finding("dagster_home", "bad", say("cli.doctor.home_relative", path=home))
    else:
        yield Finding("dagster_home", "good", home)


CHECKS: tuple[Callable[[Project], Iterator[Finding]], ...] = (
    _installed,
    _project,
    _charter,
    _database,
    _log,
    _keys,
    _warehouse,
    _rights,
    _dagster,
)


@click.command("doctor")
@pass_session
def command(session: Session) -> None:
    """Look at the set-up.

    What is installed, reachable, readable and writable, and by whom. Ends with 2 on a fault.

    \b
    Example:
      ecluse doctor
    """
    found = list(findings(session.project()))
    if session.json:
        as_json(found)
    else:
        as_table(
            [say(f"cli.column.{name}") for name in ("what", "state", "detail")],
            [(finding.name, say(f"cli.doctor.{finding.state}"), finding.detail) for finding in found],
        )
    if any(finding.state == "bad" for finding in found):
        click.get_current_context().exit(2)


def findings(project: Project) -> Iterator[Finding]:
    """Everything that was looked at; a part that can't be looked at is a fault of its own, and the rest goes on."""
    for check in CHECKS:
        try:
            yield from check(project)
        except EcluseError as error:
            detail = f"{error.part('received')} {say('errors.hint')} {error.part('hint')}"
            yield Finding(check.__name__.strip("_"), "bad", detail)
