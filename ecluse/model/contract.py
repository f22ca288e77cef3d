"""What a dataset promises: its columns, key, owner, licence, classification, freshness and what a failure means."""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from pydantic import ConfigDict, field_validator, model_validator
from pydantic.dataclasses import dataclass

from ecluse.model.canonical import digest

_STRICT = ConfigDict(extra="forbid")
_WITHIN = re.compile(r"^\s*(\d+)\s*(minute|hour|day|week)s?\s*$")


class Classification(StrEnum):
    """How widely a column's values may be seen; only values of public columns enter records."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"


@dataclass(frozen=True, config=_STRICT)
class Column:
    """One promised column: its name, DuckDB type, and whether a null is allowed."""

    name: str
    type: str
    nullable: bool = True
    unit: str | None = None
    classification: Classification = Classification.INTERNAL
    description: str = ""

    @field_validator("name")
    @classmethod
    def _name_is_ours_to_give(cls, name: str) -> str:
        if not name or name.startswith("_"):
            raise ValueError(
                f"column name {name!r} is empty or starts with an underscore, which Écluse keeps for itself"
            )
        return name


@dataclass(frozen=True, config=_STRICT)
class Freshness:
    """How old the newest value of a time column may be when the published data is checked."""

    column: str
    within: str

    @field_validator("within")
    @classmethod
    def _within_is_a_duration(cls, within: str) -> str:
        if not _WITHIN.match(within):
            raise ValueError(f"{within!r} is not a duration such as '36 hours' or '35 days'")
        return within

    @property
    def age(self) -> timedelta:
        """The largest age allowed."""
        found = _WITHIN.match(self.within)
        assert found
        return timedelta(**{f"{found[2]}s": int(found[1])})


@dataclass(frozen=True, config=_STRICT)
class Contract:
    """What a dataset promises to whoever reads it.

    ``key`` names columns that are together unique and not null. ``on_failure`` says what happens to rows that break
    a critical row-level expectation: the whole step is blocked, or those rows leave for quarantine, as long as they
    are at most ``quarantine_at_most`` (a share of the computed rows, 0 to 1).
    """

    columns: tuple[Column, ...]
    owner: str
    licence: str
    key: tuple[str, ...] = ()
    legal_basis: str | None = None
    description: str = ""
    on_failure: Literal["block", "quarantine"] = "block"
    quarantine_at_most: float | None = None
    freshness: Freshness | None = None
    retention: str | None = None

    @model_validator(mode="after")
    def _coherent(self) -> Contract:
        names = [c.name for c in self.columns]
        if not names:
            raise ValueError("a contract names at least one column")
        if repeated := sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"columns named twice: {', '.join(repeated)}")
        wanted = [*self.key, *([self.freshness.column] if self.freshness else [])]
        if unknown := [n for n in wanted if n not in names]:
            raise ValueError(
                f"key or freshness names {', '.join(unknown)}, which is not among the columns {', '.join(names)}"
            )
        if (self.on_failure == "quarantine") != (self.quarantine_at_most is not None):
            raise ValueError(
                "on_failure='quarantine' needs quarantine_at_most (for example 0.005), and only then is it allowed"
            )
        if self.quarantine_at_most is not None and not 0 <= self.quarantine_at_most <= 1:
            raise ValueError(f"quarantine_at_most is a share from 0 to 1, not {self.quarantine_at_most}")
        return self

    def column(self, name: str) -> Column:
        """The column of that name; ``KeyError`` where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def digest(self) -> str:
        """SHA-256 of the contract's content."""
        return digest(self)
