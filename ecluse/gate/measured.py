"""What a measure gives: a value, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from ecluse.model.verdict import Reason


@dataclass(frozen=True)
class Measured:
    """A value, or ``None`` where evidence is missing; ``because`` says what made it, for people."""

    value: float | None
    because: tuple[Reason, ...] = ()
    facts: tuple[int, ...] = ()
