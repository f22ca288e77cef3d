"""Personal data that was looked for in columns which nobody classified as personal: counts, and never a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ecluse.model.outcome import Outcome


@dataclass(frozen=True)
class Finding:
    """One column that holds what a detector knows: in ``matched`` of the ``tested`` different values that it saw.

    ``hint`` tells that only the column's name speaks for it, which proves nothing.
    """

    column: str
    detector: str
    tested: int
    matched: int
    classification: str
    hint: bool = False


@dataclass(frozen=True)
class PersonalData:
    """What was found in a sample of ``rows`` rows: held where every column with findings is classified.

    ``columns`` are those that were looked at. ``message`` says why it could not be computed.
    """

    rows: int = 0
    columns: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    message: str = ""

    @property
    def outcome(self) -> Outcome:
        """Broken by a finding that is more than a hint."""
        if self.message:
            return Outcome.NOT_COMPUTED
        return Outcome.BROKEN if any(not finding.hint for finding in self.findings) else Outcome.HELD

    def to_json(self) -> dict[str, Any]:
        """What the log says of it."""
        return {
            "outcome": self.outcome.value,
            "rows": self.rows,
            "columns": list(self.columns),
            "findings": [vars(finding) for finding in self.findings],
            "message": self.message,
        }
