"""A gate as a table: what it asks of a release, what was found, and the next command for what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ecluse.cli.show import as_table
from ecluse.texts import say

if TYPE_CHECKING:
    from ecluse.gate import JudgedApproval, JudgedCriterion, Plan
    from ecluse.model.charter import Charter
    from ecluse.model.release import Manifest


def show_gate(plan: Plan, *, err: bool = False) -> None:
    """Every criterion and approval of a gate, met or not."""
    columns = [say(f"deciding.column.{name}") for name in ("asked", "wanted", "found", "met")]
    as_table(columns, [*_criteria(plan), *_approvals(plan)], err=err)


def next_steps(plan: Plan, charter: Charter) -> list[str]:
    """The next command for each thing that is missing, each once."""
    steps = [step_of(one, plan.manifest, charter) for one in plan.judged.criteria.judged if one.reasons]
    steps += [answer_of(plan, one) for one in plan.judged.approvals.judged if one.missing]
    return list(dict.fromkeys(steps))


def step_of(judged: JudgedCriterion, manifest: Manifest, charter: Charter) -> str:
    """What to try where a criterion isn't met."""
    measure = judged.criterion.measure
    if measure.startswith("kpi."):
        return kpi_step(measure.removeprefix("kpi."), charter, manifest.version)
    lost = next((r for r in judged.measured.because if r.key == "scope_unpublished"), None)
    if lost is not None:
        return say("deciding.next.scope", criterion=lost.fields["criterion"], scope=lost.fields["scope"])
    about = sorted({str(r.fields["dataset"]) for r in judged.measured.because if "dataset" in r.fields})
    dataset = about[0] if about else manifest.products[0].dataset
    return say(f"deciding.next.{measure.replace('.', '_')}", dataset=dataset)


def kpi_step(kpi: str, charter: Charter, version: str) -> str:
    """How a KPI is measured on a release: by its statement, or by the project's own code."""
    defined = charter.kpi(kpi)
    by = "kpi" if defined is None or defined.sql else "kpi_by_code"
    return say(f"deciding.next.{by}", kpi=kpi, version=version)


def gate_data(plan: Plan, charter: Charter) -> dict[str, Any]:
    """The same for machines."""
    judged = plan.judged
    return {
        "phase": plan.phase,
        "release": plan.manifest.digest,
        "version": plan.manifest.version,
        "datasets": [product.dataset for product in plan.manifest.products],
        "met": plan.met,
        "criteria": [
            {
                "id": one.criterion.id,
                "measure": one.criterion.measure,
                "operator": one.criterion.operator,
                "wanted": one.criterion.value,
                "found": one.measured.value,
                "met": one.met,
                "waived": one.waived is not None,
                "facts": one.measured.facts,
            }
            for one in judged.criteria.judged
        ],
        "approvals": [
            {
                "question": one.approval.question,
                "role": one.approval.role,
                "count": one.approval.count,
                "by": [answer.who for answer in one.answers],
                "able": plan.able.get(one.approval, ()),
            }
            for one in judged.approvals.judged
        ],
        "reasons": [{"key": r.key, "text": r.text(), "facts": r.facts} for r in judged.reasons],
        "next": next_steps(plan, charter),
    }


def _criteria(plan: Plan) -> Iterator[tuple[object, ...]]:
    from ecluse.gate import shown, wanted
    from ecluse.report import measure_text

    for one in plan.judged.criteria.judged:
        value = one.measured.value
        found = say("deciding.gate.uncomputed") if value is None else shown(one.criterion, value)
        met = say("deciding.gate.waived") if one.waived else say("cli.yes" if one.met else "cli.no")
        yield measure_text(one.criterion), wanted(one.criterion), found, met


def _approvals(plan: Plan) -> Iterator[tuple[object, ...]]:
    for one in plan.judged.approvals.judged:
        asked = say("deciding.gate.people", question=one.approval.question, role=one.approval.role)
        wanted = say("deciding.gate.count", count=one.approval.count)
        by = ", ".join(answer.who for answer in one.answers) or None
        yield asked, wanted, by, say("cli.no" if one.missing else "cli.yes")


def answer_of(plan: Plan, judged: JudgedApproval) -> str:
    """The command of who may give an answer that is missing."""
    people = plan.able[judged.approval]
    if not people:
        return say("deciding.next.approval_nobody", role=judged.approval.role)
    return say(
        "deciding.next.approval",
        dataset=plan.manifest.products[0].dataset,
        version=plan.manifest.version,
        phase=plan.phase,
        question=judged.approval.question,
        party="|".join(people),
    )
