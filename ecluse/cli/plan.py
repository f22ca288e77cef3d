"""``ecluse plan``: what stands between the project and its next phase."""

from __future__ import annotations

import click

from ecluse.cli.session import Session, pass_session
from ecluse.cli.show import as_json
from ecluse.texts import say


@click.command("plan")
@click.argument("dataset", required=False)
@click.option("--version", metavar="VERSION", help="With DATASET: a release of it. Default: the latest.")
@click.option("--phase", metavar="ID", help="Another phase than the next one.")
@pass_session
def command(session: Session, dataset: str | None, version: str | None, phase: str | None) -> None:
    """Show what stands between the project and its next phase.

    Every criterion and approval of the next gate, met or not, for the latest release of each product, and the next
    commands. Ends with 3 where no release meets them all.

    \b
    Example:
      ecluse plan
      ecluse plan products.delay_features --phase industrialised
    """
    from ecluse.cli import versions
    from ecluse.cli.gate_table import gate_data, next_steps, show_gate
    from ecluse.cli.reading import book_of
    from ecluse.errors import DefinitionError
    from ecluse.gate import newest_releases, next_phase, plan

    with session.reading() as opened:
        charter, book = opened.charter, book_of(opened)
        wanted = phase or next_phase(charter)
        if charter.gate(wanted) is None:
            raise DefinitionError("step.phase", phase=wanted, known=", ".join(charter.phases))
        if version is not None and dataset is None:
            raise click.UsageError("--version needs a DATASET.")
        if dataset is not None:
            manifests = [versions.find(opened, dataset, version)]
        else:
            manifests = [manifest for _, manifest in newest_releases(book)]
        plans = [plan(wanted, manifest, charter, book, opened.project.now()) for manifest in manifests]
    met = any(one.met for one in plans)
    if session.json:
        as_json(
            {"phase": charter.phase, "next": wanted, "met": met, "releases": [gate_data(one, charter) for one in plans]}
        )
    elif not plans:
        click.echo(say("deciding.plan.no_release"))
    else:
        if wanted == charter.phase == charter.phases[-1]:
            click.echo(say("deciding.plan.last", phase=wanted))
        for one in plans:
            name = ", ".join(f"{p.dataset}@{one.manifest.version}" for p in one.manifest.products)
            click.echo(say("deciding.plan.title", name=name, phase=wanted))
            show_gate(one)
            for reason in one.judged.besides:
                click.echo(f"  - {reason.text()}")
            for step in next_steps(one, charter):
                click.echo(f"  {step}")
            if one.met:
                ahead = charter.phases.index(wanted) == charter.phases.index(charter.phase) + 1
                click.echo(say("deciding.plan.enter" if ahead else "deciding.plan.open", phase=wanted))
    if not met:
        click.get_current_context().exit(3)
