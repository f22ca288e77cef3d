"""``ecluse release diff`` and ``rollback``: one version of a product beside another, and in place of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ecluse.cli.comparing import comparing
from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.errors import DefinitionError
from ecluse.texts import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ecluse.cli.reading import Reading
    from ecluse.ledger import Log
    from ecluse.model.release import Manifest, TableVersion
    from ecluse.step.diff import Difference
    from ecluse.step.metrics import Answer, Metrics
    from ecluse.step.services import Services


@click.command("diff")
@click.argument("dataset")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--whole-rows", is_flag=True, help="Compare whole rows, not rows of the same key.")
@pass_session
def diff(session: Session, dataset: str, before: str, after: str, whole_rows: bool) -> None:
    """Compare two versions: columns, rows by the contract's key, and what was observed of both.

    Rows are counted and never shown. Beside them stand the answers of the checks when each version was published, what
    is in quarantine, and the KPIs that were computed from it.

    \b
    Example:
      ecluse release diff products.delay_features 1.0.0 1.1.0
    """
    from ecluse.step.diff import diff_versions
    from ecluse.step.metrics import metrics_of

    with session.reading() as project:
        manifests = [find(project, dataset, version) for version in (before, after)]
        facts = [*project.log.facts()]
        metrics = [metrics_of(manifest, dataset, facts) for manifest in manifests]
        one, other = (manifest.product(dataset) for manifest in manifests)
        key = () if whole_rows else _key(project.log, other)
        found = comparing(
            lambda engine: diff_versions(engine, project.warehouse, one, other, key), quietly=session.json
        )
    if session.json:
        beside = dict(zip(("before", "after"), metrics, strict=True))
        as_json({"before": before, "after": after, "same": found.same, "difference": found, "metrics": beside})
    else:
        show_difference(found, say("cli.diff.before", a=before), say("cli.diff.after", b=after))
        _show_metrics(dataset, before, after, metrics)


@click.command("rollback")
@click.argument("dataset")
@click.argument("version")
@click.option("--as", "party", required=True, metavar="PARTY", help="Who decides: a party with a key here.")
@click.option("--reason", required=True, help="Why; it stays in the log.")
@click.option("--passphrase", envvar="ECLUSE_PASSPHRASE", help="Opens the key; better in ECLUSE_PASSPHRASE.")
@pass_session
def rollback(session: Session, dataset: str, version: str, party: str, reason: str, passphrase: str | None) -> None:
    """Publish again what a release holds, with all of its products, in one move, by a person's decision.

    A newer version takes it forward again.

    What ecluse.load opens doesn't change: it opens releases. Runs that read the products from now on read the
    restored rows, and a run of the products themselves publishes anew.

    \b
    Example:
      ecluse release rollback products.delay_features 1.0.0 --as p-7f3a --reason "1.1.0 lost the night flights"
    """
    from ecluse.ledger import signer_for
    from ecluse.step.rollback import rollback_release

    with session.services() as services:
        signer = signer_for(services.project, services.charter, party, passphrase)
        moved = rollback_release(services, signer, find(services, dataset, version), reason)
        if services.project.dagster_home is not None:
            from ecluse.orchestration.runless import tell_rollback

            tell_rollback(services, moved, version)
    if session.json:
        as_json(
            [{**vars(m), "before": None if m.before is None else str(m.before), "after": str(m.after)} for m in moved]
        )
        return
    for one in moved:
        click.echo(
            say("cli.release.moved", dataset=one.dataset, before=one.before or "–", after=one.after, version=version)
        )
    if not moved:
        click.echo(say("cli.release.stands", dataset=dataset, version=version))


def find(opened: Reading | Services, dataset: str, version: str | None) -> Manifest:
    """The release of a product with that version, or its latest; ``DefinitionError`` where there is none."""
    from ecluse.step.releases import release_of

    found = release_of(opened.project, opened.log, dataset, version)
    if found is None:
        raise DefinitionError("cli.unknown_release", dataset=dataset, version=version or say("cli.any"))
    return found


def _key(log: Log, product: TableVersion) -> tuple[str, ...]:
    """The key of the contract that a version was published under, as its publication says."""
    said = [s.fact.predicate for s in log.facts(kind="publication")]
    own = [p for p in said if (p["dataset"], p["contract_digest"]) == (product.dataset, product.contract_digest)]
    return next((tuple(p["key"]) for p in own if "key" in p), ())


def show_difference(found: Difference, before: str, after: str) -> None:
    """A difference as tables; ``before`` and ``after`` head the columns of the two sides."""
    counts = ("added", "removed", "changed")
    values = (found.rows_before, found.rows_after, found.added, found.removed, found.changed if found.key else None)
    as_table(
        [before, after, *(say(f"cli.diff.{name}") for name in counts)],
        [[None if value is None else f"{value:,}" for value in values]],
        title=say("cli.diff.rows", dataset=found.dataset, key=", ".join(found.key) or say("cli.diff.whole")),
    )
    changes = [
        *((name, say("cli.diff.column_added", type=kind), None) for name, kind in found.columns_added.items()),
        *((name, say("cli.diff.column_removed", type=kind), None) for name, kind in found.columns_removed.items()),
        *((n, say("cli.diff.renamed", before=old), None) for n, old in found.columns_renamed.items()),
        *((n, say("cli.diff.type", before=a, after=b), None) for n, (a, b) in found.types_changed.items()),
        *((name, say("cli.diff.values"), f"{count:,}") for name, count in found.columns_changed.items()),
    ]
    if changes:
        as_table([say(f"cli.column.{name}") for name in ("column", "what", "rows")], changes)
    if found.same:
        click.echo(say("cli.diff.same", dataset=found.dataset))


def _show_metrics(dataset: str, before: str, after: str, metrics: Sequence[Metrics]) -> None:
    """What was observed of two versions, side by side; nothing where one of them wasn't asked."""
    checks = sorted({name for one in metrics for name in one.checks})
    kpis = sorted({name for one in metrics for name in one.kpis})
    rows: list[Sequence[object]] = [
        [say("cli.diff.quarantined"), *(f"{one.quarantined:,}" for one in metrics)],
        *([name, *(_answer(one.checks.get(name)) for one in metrics)] for name in checks),
        *([say("cli.diff.kpi", kpi=name), *(_number(one.kpis.get(name)) for one in metrics)] for name in kpis),
    ]
    names = [say("cli.diff.observed"), *(say(f"cli.diff.{n}", a=before, b=after) for n in ("before", "after"))]
    as_table(names, rows, title=say("cli.diff.metrics", dataset=dataset))


def _answer(answer: Answer | None) -> str | None:
    if answer is None:
        return None
    told = [say(f"cli.outcome.{answer.outcome}")]
    if answer.observed is not None:
        told.append(str(_number(answer.observed) if isinstance(answer.observed, float) else answer.observed))
    if answer.failing is not None and answer.asked is not None:
        told.append(say("cli.diff.failing", failing=answer.failing, asked=answer.asked))
    return ", ".join(told)


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.6g}"
