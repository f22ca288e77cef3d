"""Rows that are to leave quarantine: what is asked for, what is known of it on the way, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ecluse.ledger import Signer
from ecluse.model.leaving import Move, Waiver
from ecluse.step.held import Chosen
from ecluse.step.state import Block, State

#: The rows that were asked for, as they would be published, and the names of those that leave.
GIVEN, LEAVE = "_ecluse_given_rows", "_ecluse_leave"


@dataclass(frozen=True)
class Asked:
    """What a person asks for: which rows, how they leave, and why. A fix names its rows by the ``file``'s."""

    move: Move
    signer: Signer
    reason: str
    chosen: Chosen = field(default_factory=Chosen)
    file: Path | None = None


@dataclass(frozen=True)
class Left:
    """What became of the rows: ``left`` are out of quarantine, ``stayed`` are where they were, and ``blocks`` say why.

    ``by_check`` counts the rows that left, ``still`` those that stayed, by the checks that they break.
    """

    dataset: str
    partition: str | None
    move: Move
    left: int
    stayed: int
    by_check: dict[str, int]
    still: dict[str, int]
    blocks: tuple[Block, ...] = ()
    position: int | None = None
    state: State | None = None

    @property
    def done(self) -> bool:
        """Whether any row left."""
        return self.position is not None


@dataclass(frozen=True)
class Work:
    """One re-entry in hand: the step's state, and what is known of the rows in quarantine."""

    asked: Asked
    state: State
    head: int
    appends: bool
    asked_for: int = 0
    leave: int = 0
    still: dict[str, int] = field(default_factory=dict)
    standing: tuple[Waiver, ...] = ()
    held: dict[str, int] = field(default_factory=dict)
