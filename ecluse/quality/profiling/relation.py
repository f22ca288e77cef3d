"""A relation that somebody else prepared, for instance what a dataset published, as data to profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Relation:
    """What can follow ``FROM``, which must give the same rows in the same order each time.

    ``hidden`` columns are there and not looked at. ``classifications`` maps columns to how widely they may be seen.
    """

    sql: str
    hidden: frozenset[str] = frozenset()
    classifications: Mapping[str, str] = field(default_factory=dict)
