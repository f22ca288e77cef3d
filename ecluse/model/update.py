"""How the rows of a step change what is published: the update modes."""

from __future__ import annotations

from typing import Literal, get_args

#: ``replace`` takes the place of the partition, or of the whole dataset where there is none; ``append`` adds rows;
#: ``merge`` is an upsert by key; ``partition`` replaces the partitions that its rows fall into; ``history`` keeps every
#: version of a row (slowly changing dimension, type 2).
Update = Literal["replace", "append", "merge", "partition", "history"]
UPDATES: tuple[Update, ...] = get_args(Update)

#: Modes whose publications add up: what was published before may still stand beside what the newest one brought.
INCREMENTAL: frozenset[str] = frozenset({"append", "merge", "partition", "history"})

#: Modes that look at what is published to find out what to write.
RESOLVED: frozenset[str] = frozenset({"merge", "partition", "history"})

#: The columns by which ``history`` tells the versions of a row apart. A step computes the first of them.
VALID_FROM, VALID_TO, IS_CURRENT = "valid_from", "valid_to", "is_current"
