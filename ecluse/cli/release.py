"""``ecluse release``: what people decide about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ecluse.cli import versions
from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json, as_table
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.model.facts import SignedFact


@click.group("release")
def group() -> None:
    """Immutable versions of published products.

    \b
    Example:
      ecluse release create products.delay_features --version 1.0.0
    """


@group.command("create")
@click.argument("datasets", nargs=-1, required=True, metavar="DATASET…")
@click.option(
    "--version",
    metavar="VERSION",
    help="For example 1.0.0; it never names anything else again. Default: the next, from what the contract changed.",
)
@pass_session
def create(session: Session, datasets: tuple[str, ...], version: str | None) -> None:
    """Pin what is published of some products, with everything they were made from, under a version.

    \b
    Example:
      ecluse release create products.delay_features --version 1.0.0
    """
    from ecluse.step.releases import create_release

    with session.services() as services:
        manifest = create_release(services, datasets, version)
    if session.json:
        as_json({"digest": manifest.digest, "manifest": manifest.to_json()})
        return
    for product in manifest.products:
        name = f"{product.dataset}@{manifest.version}"
        click.echo(say("cli.release.created", name=name, rows=product.rows, digest=manifest.digest[:16]))
    click.echo(say("cli.release.next", dataset=datasets[0], version=manifest.version))


@group.command("list")
@click.argument("dataset", required=False)
@pass_session
def list_(session: Session, dataset: str | None) -> None:
    """List releases, the oldest first.

    \b
    Example:
      ecluse release list products.delay_features
    """
    from ecluse.cli.reading import require_known

    with session.reading() as project:
        if dataset is not None:
            require_known(project, dataset)
        found = [
            (signed, signed.fact.predicate["manifest"], project.who(signed))
            for signed in project.log.facts(kind="release")
        ]
    rows = [
        (product["dataset"], manifest["version"], sum(f["rows"] for f in product["files"]), _at(signed), who)
        for signed, manifest, who in found
        for product in manifest["products"]
        if dataset in (None, product["dataset"])
    ]
    names = ("dataset", "version", "rows", "at", "signer")
    if session.json:
        as_json([dict(zip(names, row, strict=True)) for row in rows])
    elif rows:
        as_table([say(f"cli.column.{name}") for name in names], rows)
    else:
        click.echo(say("cli.release.nothing", dataset=dataset or "DATASET"))


@group.command("show")
@click.argument("dataset")
@click.option("--version", metavar="VERSION", help="Default: the latest.")
@pass_session
def show(session: Session, dataset: str, version: str | None) -> None:
    """Show a release: its products, inputs, and every decision about it.

    \b
    Example:
      ecluse release show products.delay_features --version 1.0.0
    """
    from ecluse.model.release import PromotedFrom

    with session.reading() as project:
        manifest = versions.find(project, dataset, version)
        stated = list(project.log.facts(kind="release", sha256=manifest.digest))
        promoted = PromotedFrom.of(stated[-1].fact.predicate)
        decisions = [
            {**s.fact.predicate, "position": s.position, "at": s.fact.at.isoformat(), "signer": project.who(s)}
            for s in project.log.facts(kind="decision", sha256=manifest.digest)
        ]
    if session.json:
        origin = promoted.to_json() if promoted else None
        found = {"digest": manifest.digest, "manifest": manifest.to_json(), "promoted_from": origin}
        as_json({**found, "decisions": decisions})
        return
    click.echo(f"{dataset}@{manifest.version}  {manifest.digest}")
    if promoted is not None:
        click.echo(say("cli.release.promoted", **vars(promoted)))
    as_table(
        [say(f"cli.column.{name}") for name in ("dataset", "rows", "files", "snapshot")],
        [(p.dataset, f"{p.rows:,}", len(p.files), p.snapshot_id) for p in manifest.products],
        title=say("cli.release.products"),
    )
    as_table(
        [say(f"cli.column.{name}") for name in ("dataset", "snapshot", "content")],
        [(i.dataset, i.snapshot_id, i.content[:16]) for i in manifest.inputs],
        title=say("cli.release.inputs"),
    )
    told = ("signer", "expires", "reason")
    as_table(
        [say(f"cli.column.{name}") for name in ("question", "verdict", "signer", "until", "reason")],
        [
            (d["question"] or d.get("criterion"), say(f"cli.verdict.{d['verdict']}"), *(d[name] for name in told))
            for d in decisions
        ],
        title=say("cli.release.decisions"),
    )


def _at(signed: SignedFact) -> str:
    return signed.fact.at.isoformat(" ", "seconds")


group.add_command(versions.diff)
group.add_command(versions.rollback)
