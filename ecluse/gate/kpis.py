"""KPIs as they stand: what each was on release after release, beside its baseline and its target."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from ecluse.gate.book import Book, number
from ecluse.gate.kill import observed_releases
from ecluse.model.charter import Charter, Kpi


class Progress(StrEnum):
    """How far a value is: never observed, worse than the baseline, better than it, or as good as the target."""

    NEVER = "never"
    BEHIND = "behind"
    BETTER = "better"
    REACHED = "reached"


@dataclass(frozen=True)
class Observed:
    """What a KPI was on a release (``<dataset>@<version>``, several of one release with commas), when, by which fact.

    ``digests`` are those of the release's manifest.
    """

    value: float | None
    release: str
    digests: tuple[str, ...]
    at: datetime
    position: int


@dataclass(frozen=True)
class StandingKpi:
    """A KPI with its newest observation on each release, the newest last; those count that measured it as today."""

    kpi: Kpi
    observed: tuple[Observed, ...]
    today: date

    @property
    def newest(self) -> Observed | None:
        """The observation that tells where it stands."""
        return self.observed[-1] if self.observed else None

    @property
    def progress(self) -> Progress:
        """Where it stands."""
        return self.progress_of(self.newest.value if self.newest else None)

    @property
    def overdue(self) -> bool:
        """Whether the target should have been reached by now."""
        return self.progress is not Progress.REACHED and self.kpi.by < self.today

    def progress_of(self, value: float | None) -> Progress:
        """How far a value is."""
        if value is None:
            return Progress.NEVER
        if self.kpi.reached(value):
            return Progress.REACHED
        worse = value < self.kpi.baseline if self.kpi.better == "higher" else value > self.kpi.baseline
        return Progress.BEHIND if worse else Progress.BETTER


def standing_kpis(charter: Charter, book: Book, today: date) -> tuple[StandingKpi, ...]:
    """Every KPI of the charter, in its order."""
    return tuple(StandingKpi(kpi, _observed(charter, book, kpi), today) for kpi in charter.kpis)


def _observed(charter: Charter, book: Book, kpi: Kpi) -> tuple[Observed, ...]:
    return tuple(
        Observed(number(r.predicate, "value"), r.names, tuple(r.digests), r.at, r.position)
        for r in observed_releases(charter, book, kpi.id)
    )
