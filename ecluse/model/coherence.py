"""What the parts of a charter must say of each other; each mistake with the place where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain
from typing import Any

from ecluse import texts
from ecluse.model.charter import ALWAYS, MEASURES, UNRELEASED, Charter, Gate, Party

#: Where something stands in a charter, from its root on: ``("gates", 0, "criteria", 2, "measure")``.
Place = tuple[int | str, ...]


@dataclass(frozen=True)
class Mistake:
    """One contradiction: ``key`` names its text under ``model.charter``."""

    place: Place
    key: str
    fields: dict[str, str] = field(default_factory=dict)

    def text(self, lang: str | None = None) -> str:
        """The contradiction in plain words."""
        return texts.fill(f"model.charter.{self.key}", self.fields, lang)


def mistakes(charter: Charter) -> Iterator[Mistake]:
    """Every contradiction in a charter, one kind after another."""
    yield from _phases(charter)
    for number, gate in enumerate(charter.gates):
        yield from _gate(charter, gate, ("gates", number))
    if (kill := charter.kill_criterion) is not None and charter.kpi(kill.kpi) is None:
        yield Mistake(("kill_criterion", "kpi"), "unknown_kpi", {"kpi": kill.kpi, "known": _known(charter.kpis)})
    yield from _repeated(charter)
    for number, party in enumerate(charter.parties):
        yield from _party(charter, party, ("parties", number))
    for number, risk in enumerate(charter.risks):
        for n, control in enumerate(risk.controls):
            if not all(control.partition(":")):
                yield Mistake(("risks", number, "controls", n), "no_control", {"control": control})
    if UNRELEASED in charter.phases:
        for number, grant in enumerate(charter.grants):
            if grant.unreleased:
                yield Mistake(("grants", number, "unreleased"), "unreleased_is_a_phase", {"phase": UNRELEASED})


def _phases(charter: Charter) -> Iterator[Mistake]:
    known = {"known": ", ".join(charter.phases) or "–"}
    if charter.phase not in charter.phases:
        yield Mistake(("phase",), "unknown_phase", {"phase": charter.phase, **known})
    gated = [gate.phase for gate in charter.gates]
    for number, phase in enumerate(charter.phases):
        if phase not in gated:
            yield Mistake(("phases", number), "phase_without_gate", {"phase": phase})
    for number, phase in enumerate(gated):
        if phase not in charter.phases:
            yield Mistake(("gates", number, "phase"), "unknown_phase", {"phase": phase, **known})
    yield from _twice((("phases", number), phase) for number, phase in enumerate(charter.phases))
    yield from _twice((("gates", number, "phase"), phase) for number, phase in enumerate(gated))


def _gate(charter: Charter, gate: Gate, place: Place) -> Iterator[Mistake]:
    for number, criterion in enumerate(gate.criteria):
        kpi = criterion.measure.removeprefix("kpi.")
        if criterion.measure not in MEASURES and charter.kpi(kpi) is None:
            where = (*place, "criteria", number, "measure")
            yield Mistake(where, "unknown_kpi", {"kpi": kpi, "known": _known(charter.kpis)})
    # NOTE: a waiver names a criterion by its id, and would waive both.
    yield from _twice(((*place, "criteria", number, "id"), one.id) for number, one in enumerate(gate.criteria))
    asked = {criterion.measure for criterion in gate.criteria if not criterion.datasets}
    always = {criterion.id: criterion.measure for criterion in ALWAYS if criterion.measure not in asked}
    for number, criterion in enumerate(gate.criteria):
        if criterion.id in always:
            of_all = {"name": criterion.id, "measure": always[criterion.id]}
            yield Mistake((*place, "criteria", number, "id"), "name_of_all", of_all)


def _repeated(charter: Charter) -> Iterator[Mistake]:
    for kind in ("purposes", "parties", "kpis", "risks", "rules", "trainings"):
        yield from _twice(((kind, number, "id"), one.id) for number, one in enumerate(getattr(charter, kind)))
    yield from _twice(
        chain.from_iterable(
            ((("parties", number, "keys", n, "public"), key.public) for n, key in enumerate(party.keys))
            for number, party in enumerate(charter.parties)
        )
    )


def _party(charter: Charter, party: Party, place: Place) -> Iterator[Mistake]:
    trainings = {training.id for training in charter.trainings}
    for number, done in enumerate(party.trained):
        if done.training not in trainings:
            where = (*place, "trained", number, "training")
            yield Mistake(where, "unknown_training", {"training": done.training, "known": _known(charter.trainings)})
    if party.responsible and charter.party(party.responsible) is None:
        where = (*place, "responsible")
        yield Mistake(where, "unknown_party", {"party": party.responsible, "known": _known(charter.parties)})
    spans: list[tuple[Place, date, date | None]] = [
        ((*place, "roles", number, "until"), role.since, role.until) for number, role in enumerate(party.roles)
    ]
    spans += [
        ((*place, "keys", number, "until"), _day(key.since), _day(key.until) if key.until else None)
        for number, key in enumerate(party.keys)
    ]
    for where, since, until in spans:
        if until is not None and until < since:
            yield Mistake(where, "ends_before", {"since": since.isoformat(), "until": until.isoformat()})


def _twice(named: Iterable[tuple[Place, str]]) -> Iterator[Mistake]:
    """What is named a second time, at its second place."""
    seen = set()
    for place, name in named:
        if name in seen:
            yield Mistake(place, "twice", {"name": name})
        seen.add(name)


def _known(parts: Iterable[Any]) -> str:
    return ", ".join(part.id for part in parts) or "–"


def _day(moment: datetime) -> date:
    return moment.date()
