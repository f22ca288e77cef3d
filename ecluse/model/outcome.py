"""What a check says: held, broken, or could not be computed, and the report of a whole suite."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecluse.model.personal import PersonalData


class Outcome(StrEnum):
    """The three answers to a promise; only the first opens a gate."""

    HELD = "held"
    BROKEN = "broken"
    NOT_COMPUTED = "not_computed"


class Severity(StrEnum):
    """What a failure means: critical blocks, warning publishes and shows, info is recorded."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Scope(StrEnum):
    """What an expectation is asked of.

    ``batch``: the rows that a step adds. ``table``: the snapshot that would result. ``published``: what is published,
    at the time of a scheduled check (freshness says nothing about a candidate).
    """

    BATCH = "batch"
    TABLE = "table"
    PUBLISHED = "published"


@dataclass(frozen=True)
class CheckResult:
    """One expectation's answer about one batch or snapshot.

    ``name`` identifies the check across edits of its thresholds (type and columns, never bounds). ``observed`` is a
    number or short text for display, or ``None``; ``message`` says why a check could not be computed.
    ``row_level`` tells whether single rows break it; ``quarantined`` counts the rows that left because of it,
    ``waived`` those that break it and were released by a person's decision.
    ``description`` is what the suite's author says of it.
    """

    name: str
    type: str
    columns: tuple[str, ...]
    severity: Severity
    scope: Scope
    outcome: Outcome
    kwargs: dict[str, Any] = field(default_factory=dict)
    element_count: int | None = None
    unexpected_count: int | None = None
    observed: Any = None
    message: str = ""
    row_level: bool = False
    quarantined: int = 0
    waived: int = 0
    executed_by: str = "ecluse"
    description: str = ""

    @property
    def blocks(self) -> bool:
        """Whether this answer alone stops a publication.

        "Could not be computed" always does. A critical expectation does too, unless the rows that broke it left, or
        each of those that break it was released.
        """
        if self.outcome is Outcome.NOT_COMPUTED:
            return True
        decided = bool(self.waived) and self.unexpected_count is not None and self.waived >= self.unexpected_count
        broken = self.outcome is Outcome.BROKEN and self.severity is Severity.CRITICAL
        return broken and not self.quarantined and not decided


@dataclass(frozen=True)
class CheckReport:
    """A suite's answers about one batch or snapshot, with what they are about.

    ``personal`` is what was found of personal data in columns that aren't classified as such; ``None`` where nobody
    looked.
    """

    dataset: str
    suite_digest: str
    contract_digest: str
    checks: tuple[CheckResult, ...]
    rows: int
    personal: PersonalData | None = None

    @property
    def outcome(self) -> Outcome:
        """Held when no check blocks; not computed when only uncomputed checks do."""
        blocking = [c for c in self.checks if c.blocks]
        if not blocking:
            return Outcome.HELD
        if any(c.outcome is Outcome.BROKEN for c in blocking):
            return Outcome.BROKEN
        return Outcome.NOT_COMPUTED
