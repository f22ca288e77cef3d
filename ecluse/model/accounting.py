"""Every row accounted for: the two laws that hold on each step before it publishes."""

from __future__ import annotations

from dataclasses import dataclass, field

from ecluse.model.outcome import Outcome


@dataclass(frozen=True)
class ControlTotal:
    """A sum or count that must be equal on both sides of a step that groups or fans out."""

    name: str
    driving: str | None
    computed: str | None

    @property
    def outcome(self) -> Outcome:
        """Held when both sides are known and equal."""
        if self.driving is None or self.computed is None:
            return Outcome.NOT_COMPUTED
        return Outcome.HELD if self.driving == self.computed else Outcome.BROKEN


@dataclass(frozen=True)
class LookUp:
    """How the rows of a step met one of its other inputs."""

    dataset: str
    matched: int
    unmatched: int


@dataclass(frozen=True)
class RowAccounting:
    """Row counts of one step, each counted by itself and none computed by subtraction.

    Law one: ``computed == published + quarantined``. Law two, with ``grain="row"``: every driving row is out,
    quarantined, deduplicated into a named row, or filtered by a named predicate (``unexplained == 0``), appears once
    (``fanned_out == 0``), and no row comes from nowhere (``invented == 0``). With ``grain="group"``: every control
    total is equal on both sides.
    """

    grain: str | None
    computed: int
    published: int
    quarantined: int
    driving_dataset: str | None = None
    driving: int | None = None
    out: int | None = None
    driving_quarantined: int | None = None
    deduplicated: int | None = None
    filtered: dict[str, int] = field(default_factory=dict)
    unexplained: int | None = None
    fanned_out: int | None = None
    invented: int | None = None
    totals: tuple[ControlTotal, ...] = ()
    look_ups: tuple[LookUp, ...] = ()
    rejected: int = 0
    message: str = ""

    @property
    def outcome(self) -> Outcome:
        """Whether both laws hold for this step."""
        if self.computed != self.published + self.quarantined:
            return Outcome.BROKEN
        if self.message:
            return Outcome.NOT_COMPUTED
        if self.grain == "row":
            found = (self.unexplained, self.fanned_out, self.invented)
            if None in found:
                return Outcome.NOT_COMPUTED
            return Outcome.BROKEN if any(found) else Outcome.HELD
        outcomes = {t.outcome for t in self.totals}
        for worst in (Outcome.BROKEN, Outcome.NOT_COMPUTED):
            if worst in outcomes:
                return worst
        return Outcome.HELD
