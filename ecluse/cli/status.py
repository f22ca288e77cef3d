"""``ecluse status``: every dataset at a glance, and what waits for whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.model.counts import counted
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.model.facts import SignedFact


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
    for signed in facts:
        fact, said = signed.fact, signed.fact.predicate
        if fact.kind == "release":
            for product in said["manifest"]["products"]:
                name = product["dataset"]
                found[name] = replace(found.get(name, DatasetStatus(name)), version=said["manifest"]["version"])
            continue
        name = said.get("dataset")
        if name is None or fact.kind not in ("publication", "run", "evidence"):
            continue
        found[name] = _after(found.get(name, DatasetStatus(name)), signed)
    return sorted(found.values(), key=lambda status: status.dataset)


def _after(status: DatasetStatus, signed: SignedFact) -> DatasetStatus:
    fact, said = signed.fact, signed.fact.predicate
    at = fact.at.isoformat(" ", "seconds")
    partition = said.get("partition") or "all"
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


@click.command("status")
@pass_session
def command(session: Session) -> None:
    """Show every dataset at a glance.

    What is published, what was quarantined, the newest check, the newest release, what is blocked.

    \b
    Example:
      ecluse status
    """
    with session.reading() as project:
        found = statuses(project.log.facts())
    if session.json:
        as_json([{k: v for k, v in vars(status).items() if k != "by_partition"} for status in found])
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
                say(f"cli.outcome.{status.check}") if status.check else None,
                status.version,
                ", ".join(status.blocked) or None,
            )
            for status in found
        ],
    )
    blocked = [status.dataset for status in found if status.blocked]
    if blocked:
        click.echo(say("cli.status.next", dataset=blocked[0]))
