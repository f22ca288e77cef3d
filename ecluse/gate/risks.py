"""What is left of each risk: computed from the newest answers of the checks that control it, never typed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ecluse.gate.book import Book, number, text
from ecluse.gate.evidence import Evidence
from ecluse.model.charter import Charter, Risk


class Residual(StrEnum):
    """What a risk's controls say: all held, one broken, one without an answer, or no control at all."""

    CONTROLLED = "controlled"
    OPEN = "open"
    UNKNOWN = "unknown"
    UNCONTROLLED = "uncontrolled"


@dataclass(frozen=True)
class Control:
    """One check of a dataset, and its newest answer (``held``, ``broken``, ``not_computed``; ``None``: never asked).

    ``partitions`` are those whose newest answer is not held; ``fact`` is the position of the newest answer.
    """

    dataset: str
    check: str
    outcome: str | None
    partitions: tuple[str, ...]
    fact: int | None


@dataclass(frozen=True)
class ResidualRisk:
    """A risk of the charter with its controls as they stand."""

    risk: Risk
    controls: tuple[Control, ...]

    @property
    def state(self) -> Residual:
        """The worst that its controls say: a check that was never asked proves nothing."""
        if not self.controls:
            return Residual.UNCONTROLLED
        outcomes = {control.outcome for control in self.controls}
        if outcomes <= {"held"}:
            return Residual.CONTROLLED
        return Residual.OPEN if "broken" in outcomes else Residual.UNKNOWN


def residual_risks(charter: Charter, book: Book) -> tuple[ResidualRisk, ...]:
    """Every risk of the charter, in its order, by the attested reports of the book's project and environment."""
    datasets = {control.partition(":")[0] for risk in charter.risks for control in risk.controls}
    evidence = Evidence(book)
    newest: dict[tuple[str, str], dict[str, tuple[str, int]]] = {}
    for report in reversed([report for dataset in sorted(datasets) for report in evidence.reports(dataset)]):
        for check in report.objects("checks"):
            about = (report.text("dataset"), text(check, "name"))
            newest.setdefault(about, {})[report.text("partition") or "all"] = (_answer(check), report.position)
    return tuple(
        ResidualRisk(risk, tuple(_control(control, newest.get(_named(control), {})) for control in risk.controls))
        for risk in charter.risks
    )


def _answer(check: dict[str, Any]) -> str:
    """What a check says of the data that was published: rows that left for quarantine are no risk any more."""
    failing, held_back = number(check, "unexpected_count"), number(check, "quarantined")
    if text(check, "outcome") == "broken" and failing and held_back is not None and held_back >= failing:
        return "held"
    return text(check, "outcome")


def _named(control: str) -> tuple[str, str]:
    dataset, _, check = control.partition(":")
    return dataset, check


def _control(control: str, answers: dict[str, tuple[str, int]]) -> Control:
    dataset, check = _named(control)
    wrong = tuple(sorted(name for name, (outcome, _) in answers.items() if outcome != "held"))
    fact = max((position for _, position in answers.values()), default=None)
    return Control(dataset, check, _worst(outcome for outcome, _ in answers.values()), wrong, fact)


def _worst(outcomes: Iterable[str]) -> str | None:
    found = set(outcomes)
    if not found:
        return None
    if "broken" in found:
        return "broken"
    return "held" if found == {"held"} else "not_computed"
