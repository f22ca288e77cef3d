"""Decide: whether everything that was found lets the candidate be published."""

from __future__ import annotations

from dataclasses import replace

from ecluse import texts
from ecluse.model.outcome import Outcome
from ecluse.quality import promise_text
from ecluse.step.ancestors import mixed_ancestors
from ecluse.step.quarantine import unresolved
from ecluse.step.services import Services
from ecluse.step.state import Block, Ending, State


def decide(state: State, services: Services) -> State:
    """Add every reason not to publish; ``DRY_RUN`` or ``BLOCKED`` ends the step here."""
    assert state.report is not None
    assert state.accounting is not None
    blocks = list(state.blocks)
    for check in unresolved(state.report):
        words = {f"said_{lang}": promise_text(check, lang) for lang in texts.LANGUAGES}
        fields: dict[str, str | int | float] = {"check": check.name, **words}
        rows = check.unexpected_count
        if check.outcome is Outcome.BROKEN and rows is None:
            blocks.append(Block("check", fields))
        elif check.outcome is Outcome.BROKEN:
            blocks.append(Block("check_by_rows", {**fields, "rows": rows or 0}))
        else:
            blocks.append(Block("check_not_computed", {**fields, "message": check.message}))
    # NOTE: where the quarantine already stopped the step, nothing was split, so the counts say nothing yet.
    if not state.blocks:
        blocks += _accounting_blocks(state)
    warnings = [
        Block("mixed_ancestor", {"dataset": dataset, "versions": versions})
        for dataset, versions in mixed_ancestors(state, services)
    ]
    if state.definition.coherent:
        blocks += warnings
    ending = Ending.BLOCKED if blocks else Ending.DRY_RUN if state.request.dry_run else None
    return replace(state, blocks=tuple(blocks), warnings=tuple(warnings), ending=ending)


def _accounting_blocks(state: State) -> list[Block]:
    accounting = state.accounting
    assert accounting is not None
    if accounting.outcome is Outcome.HELD:
        return []
    if accounting.message:
        return [Block(f"accounting_{accounting.message}", {"dataset": state.definition.name})]
    found: list[Block] = []
    if not accounting.arrived:
        names = ("computed", "published", "late", "superseded", "quarantined")
        found.append(Block("accounting_law_one", {name: getattr(accounting, name) for name in names}))
    if accounting.reconciled is not Outcome.HELD:
        rows = ("previous", "replaced", "added", "current")
        told = {name: "?" if (count := getattr(accounting, name)) is None else count for name in rows}
        found.append(Block("accounting_update", told))
    found += [
        Block(f"accounting_{key}", {"rows": count, "dataset": accounting.driving_dataset or ""})
        for key in ("unexplained", "fanned_out", "invented")
        if (count := getattr(accounting, key))
    ]
    found += [
        Block("accounting_total", {"name": t.name, "driving": str(t.driving), "computed": str(t.computed)})
        for t in accounting.totals
        if t.outcome is not Outcome.HELD
    ]
    # NOTE: a law that is not held for a reason that nobody thought of blocks too.
    return found or [Block("accounting_not_computed", {"dataset": state.definition.name})]
