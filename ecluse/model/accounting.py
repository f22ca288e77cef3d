"""Every row accounted for: the laws that hold on each step before it publishes."""

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

    Law one: ``computed == published + late + superseded + quarantined``. A row is ``late`` where what is published
    wins over it, ``superseded`` where another row of the same step does; of the published, ``unchanged`` were published
    just so before. Law two, with ``grain="row"``: every driving row is out,
    quarantined, deduplicated into a named row, or filtered by a named predicate (``unexplained == 0``), appears once
    (``fanned_out == 0``), and no row comes from nowhere (``invented == 0``). With ``grain="group"``: every control
    total is equal on both sides. The update reconciles: ``previous - replaced + added == current``, rows of the whole
    table, all ``None`` where a record does not say them.
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
    unchanged: int = 0
    late: int = 0
    superseded: int = 0
    previous: int | None = None
    replaced: int | None = None
    added: int | None = None
    current: int | None = None

    @property
    def arrived(self) -> bool:
        """Whether law one holds: every computed row is somewhere."""
        return self.computed == self.published + self.late + self.superseded + self.quarantined

    @property
    def reconciled(self) -> Outcome:
        """Whether the table holds what it held before, without what was replaced, with what was added."""
        found = (self.previous, self.replaced, self.added, self.current)
        if found == (None, None, None, None):
            return Outcome.HELD
        if self.previous is None or self.replaced is None or self.added is None or self.current is None:
            return Outcome.NOT_COMPUTED
        return Outcome.HELD if self.previous - self.replaced + self.added == self.current else Outcome.BROKEN

    @property
    def outcome(self) -> Outcome:
        """Whether the laws hold for this step."""
        if not self.arrived or self.reconciled is Outcome.BROKEN:
            return Outcome.BROKEN
        if self.reconciled is Outcome.NOT_COMPUTED:
            return Outcome.NOT_COMPUTED
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
