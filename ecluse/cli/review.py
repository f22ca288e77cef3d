"""What is signed, shown before it is signed: the gate, what is new, what was held back, what is in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ecluse.cli.gate_table import show_gate
from ecluse.cli.show import as_table
from ecluse.texts import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ecluse.gate import Incident, Review
    from ecluse.gate.review import Difference


def show_review(found: Review, held: Mapping[tuple[str, str], int], *, err: bool = False) -> None:
    """A release as somebody should know it before a decision.

    ``held`` counts the rows that were held back of its products and of what they were made from, by dataset and check.
    ``err``: beside the JSON of a command.
    """
    manifest = found.plan.manifest
    for product in manifest.products:
        name = f"{product.dataset}@{manifest.version}"
        click.echo(say("deciding.subject", name=name, digest=manifest.digest[:16]), err=err)
    click.echo(say("deciding.binds", phase=found.plan.phase, gate=found.gate_digest[:16]), err=err)
    show_gate(found.plan, err=err)
    _show_differences(found, err=err)
    _show_held(held, err=err)
    show_incidents(found.incidents, err=err)
    doubts = _doubts(found)
    nothing = "deciding.nothing_else" if found.incidents else "deciding.none"
    click.echo(say("deciding.doubts" if doubts else nothing), err=err)
    for doubt in doubts:
        click.echo(f"  - {doubt}", err=err)
    first = manifest.products[0].dataset
    click.echo(say("deciding.look", dataset=first, version=manifest.version), err=err)
    if found.before is not None:
        say_diff = say("deciding.look_diff", dataset=first, before=found.before, version=manifest.version)
        click.echo(say_diff, err=err)


def _show_held(held: Mapping[tuple[str, str], int], *, err: bool) -> None:
    if not held:
        click.echo(say("deciding.held.none"), err=err)
        return
    as_table(
        [say(f"cli.column.{name}") for name in ("dataset", "check", "rows")],
        [(dataset, check, f"{rows:,}") for (dataset, check), rows in held.items()],
        title=say("deciding.held.rows"),
        err=err,
    )


def show_incidents(found: Sequence[Incident], *, err: bool = False) -> None:
    """The incidents that are open, or that there is none."""
    if not found:
        click.echo(say("deciding.incidents.none"), err=err)
        return
    as_table(
        [say(f"deciding.column.{name}") for name in ("since", "incident", "touches")],
        [
            (f"{one.since:%Y-%m-%d}", one.reason.text(), ", ".join(r.name for r in one.releases) or None)
            for one in found
        ],
        title=say("deciding.incidents.open"),
        err=err,
    )


def incident_data(one: Incident) -> dict[str, Any]:
    """An incident for machines."""
    reason = {"key": one.reason.key, "text": one.reason.text(), "facts": one.reason.facts}
    return {**reason, "dataset": one.dataset, "since": one.since, "people": one.people, "releases": one.releases}


def _show_differences(found: Review, *, err: bool) -> None:
    if found.before is None:
        click.echo(say("deciding.first"), err=err)
        return
    as_table(
        [
            say("cli.column.dataset"),
            say("cli.column.rows"),
            *(say(f"deciding.column.{name}") for name in ("rows_before", "files_new", "contract", "suite")),
        ],
        [_difference(one) for one in found.differences],
        title=say("deciding.new", before=found.before),
        err=err,
    )


def _difference(one: Difference) -> tuple[object, ...]:
    before = None if one.rows_before is None else f"{one.rows_before:,}"
    changed = (say(f"deciding.{'changed' if c else 'same'}") for c in (one.contract_changed, one.suite_changed))
    return one.dataset, f"{one.rows:,}", before, f"{one.files_new} / {one.files}", *changed


def _doubts(found: Review) -> list[str]:
    """Everything that is no matter of the gate's table, in words; who said no comes first."""
    judged = found.plan.judged
    told = {one.reason.text() for one in found.incidents}
    said = [reason.text() for reason in judged.besides]
    said += [reason.text() for one in judged.criteria.judged for reason in one.reasons[1:]]
    said += [warning.text() for warning in judged.warnings]
    said += [
        say(
            "deciding.broken",
            dataset=doubt.dataset,
            check=doubt.check,
            severity=say(f"cli.severity.{doubt.severity}") if doubt.severity else "–",
            rows="–" if doubt.rows is None else f"{doubt.rows:,}",
        )
        for doubt in found.doubts
        if doubt.severity != "critical"
    ]
    said += [say("deciding.risk", risk=r.risk.id, state=say(f"cli.residual.{r.state}")) for r in found.risks]
    return [one for one in dict.fromkeys(said) if one not in told]
