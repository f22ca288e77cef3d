"""``ecluse status``: every dataset at a glance, and what waits for whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.errors import EcluseError, IntegrityError
from ecluse.model.counts import counted, left
from ecluse.model.latest import latest, version_of
from ecluse.model.leaving import QUESTION
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.cli.reading import Reading
    from ecluse.model.facts import Fact, SignedFact
    from ecluse.step.suites import Stale


@dataclass(frozen=True)
class DatasetStatus:
    """What the log says of one dataset.

    ``rows`` and ``quarantined`` are summed over its partitions; ``blocked`` lists partitions whose newest run didn't
    publish (``all`` where it isn't partitioned); ``check`` is the newest answer about published data.
    """

    dataset: str
    partitions: int = 0
    rows: int = 0
    quarantined: int = 0
    published: str | None = None
    check: str | None = None
    checked: str | None = None
    version: str | None = None
    blocked: tuple[str, ...] = ()
    by_partition: dict[str, tuple[int, int]] = field(default_factory=dict, repr=False)


def statuses(facts: Iterable[SignedFact]) -> list[DatasetStatus]:
    """The state of every dataset that a log mentions, by name."""
    found: dict[str, DatasetStatus] = {}
    released: dict[str, None] = {}
    answered: list[Fact] = []
    for signed in facts:
        fact, said = signed.fact, signed.fact.predicate
        if fact.kind in ("release", "decision"):
            answered.append(fact)
        if fact.kind == "release":
            for product in said["manifest"]["products"]:
                name = product["dataset"]
                found.setdefault(name, DatasetStatus(name))
                released[name] = None
            continue
        name = said.get("dataset")
        leaves = fact.kind == "decision" and said.get("question") == QUESTION
        if name is None or not (leaves or fact.kind in ("publication", "run", "evidence")):
            continue
        found[name] = _after(found.get(name, DatasetStatus(name)), signed)
    found |= {name: replace(found[name], version=_latest(answered, name)) for name in released}
    return sorted(found.values(), key=lambda status: status.dataset)


def _latest(facts: Iterable[Fact], dataset: str) -> str | None:
    release = latest(facts, [dataset])
    return version_of(release) if release else None


def _after(status: DatasetStatus, signed: SignedFact) -> DatasetStatus:
    fact, said = signed.fact, signed.fact.predicate
    at = fact.at.isoformat(" ", "seconds")
    partition = said.get("partition") or "all"
    if fact.kind == "decision":
        counts = left(status.by_partition, said)
        return replace(status, by_partition=counts, quarantined=sum(gone for _, gone in counts.values()))
    if fact.kind == "publication":
        counts = counted(status.by_partition, said)
        return replace(
            status,
            by_partition=counts,
            partitions=len(counts),
            rows=sum(rows for rows, _ in counts.values()),
            quarantined=sum(gone for _, gone in counts.values()),
            published=at,
            # NOTE: nothing is published whose checks did not hold.
            check="held",
            checked=at,
        )
    if fact.kind == "run":
        others = tuple(p for p in status.blocked if p != partition)
        return replace(status, blocked=(*others, partition) if said["outcome"] in ("blocked", "failed") else others)
    if said.get("about") == "check-report" and said.get("on") == "published":
        return replace(status, check=said["outcome"], checked=at)
    return status


def stale_of(project: Reading) -> tuple[dict[str, Stale], str | None]:
    """What was checked with another suite than today's, by dataset; or why today's suites can't be asked."""
    try:
        from ecluse.cli.suites import todays_suites
        from ecluse.step.suites import stale_suites

        suites = todays_suites(project.project)
        found = stale_suites(project.warehouse, project.log.facts(kind="evidence"), suites)
    except IntegrityError:
        raise
    except EcluseError as error:
        return {}, error.part("received")
    except Exception as error:  # noqa: BLE001 - the project's own code, which may fail in any way
        return {}, f"{type(error).__name__}: {error}"
    return {stale.dataset: stale for stale in found}, None


@click.command("status")
@pass_session
def command(session: Session) -> None:
    """Show every dataset at a glance.

    What is published, what was quarantined, the newest check, the newest release, what is blocked, and whether the
    suite changed since the check: then its answer is stale, until 'ecluse check' asks again.

    \b
    Example:
      ecluse status
    """
    with session.reading() as project:
        found = statuses(project.log.facts())
        stale, unknown = stale_of(project) if found else ({}, None)
    if session.json:
        said = [{k: v for k, v in vars(status).items() if k != "by_partition"} for status in found]
        as_json([{**one, "stale": None if unknown else stale.get(one["dataset"], False)} for one in said])
        return
    if not found:
        click.echo(say("cli.status.nothing"))
        return
    names = ("dataset", "rows", "partitions", "quarantined", "published", "check", "version", "blocked")
    as_table(
        [say(f"cli.column.{name}") for name in names],
        [
            (
                status.dataset,
                f"{status.rows:,}",
                status.partitions,
                f"{status.quarantined:,}",
                status.published,
                _check(status, status.dataset in stale),
                status.version,
                ", ".join(status.blocked) or None,
            )
            for status in found
        ],
    )
    for one in stale.values():
        click.echo(_why_stale(one))
    if unknown is not None:
        click.echo(say("cli.status.suites_unknown", error=unknown))
    blocked = [status.dataset for status in found if status.blocked]
    if blocked:
        click.echo(say("cli.status.next", dataset=blocked[0]))


def _check(status: DatasetStatus, stale: bool) -> str | None:
    if status.check is None:
        return None
    outcome = say(f"cli.outcome.{status.check}")
    return say("cli.status.stale", outcome=outcome) if stale else outcome


def _why_stale(stale: Stale) -> str:
    changes = [
        say(f"cli.status.checks_{what}", checks=", ".join(names))
        for what, names in (("added", stale.added), ("removed", stale.removed), ("changed", stale.changed))
        if names
    ]
    return say(
        "cli.status.why_stale",
        dataset=stale.dataset,
        checked=", ".join(digest[:12] for digest in stale.checked) or "–",
        current=stale.current[:12],
        changes="".join(f" {change}" for change in changes),
    )
