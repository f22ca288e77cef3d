"""How a preview is shown: one screen with what would change in rows, columns and checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ecluse.cli.show import as_table
from ecluse.cli.versions import show_difference
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.step.preview import Answer, Preview


def show_preview(found: Preview) -> None:
    """Rows by key, columns, and the checks whose answer would be another one."""
    show_difference(found.difference, say("cli.preview.published"), say("cli.preview.candidate"))
    name = found.dataset + (f" [{found.partition}]" if found.partition else "")
    if changed := [metric for metric in found.metrics if metric.changed]:
        as_table(
            [
                say("cli.column.check"),
                say("cli.column.severity"),
                say("cli.preview.published"),
                say("cli.preview.candidate"),
            ],
            [(m.check, say(f"cli.severity.{m.severity}"), _text(m.before), _text(m.after)) for m in changed],
            title=say("cli.preview.checks", name=name),
        )
    same = len(found.metrics) - len(changed)
    told = "same" if any(metric.before for metric in found.metrics) else "hold"
    click.echo(say(f"cli.preview.{told}", same=same, all=len(found.metrics)))
    if found.moved:
        click.echo(say("cli.preview.moved", name=name))


def _text(answer: Answer | None) -> str | None:
    if answer is None:
        return None
    told = say(f"cli.outcome.{answer.outcome}")
    if answer.unexpected_count is not None:
        return say("cli.preview.failing", outcome=told, rows=answer.unexpected_count)
    return told if answer.observed is None else f"{told}, {answer.observed}"
