"""How many rows a dataset holds, and holds back, by partition: what its publications say one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecluse.model.update import INCREMENTAL, UPDATES

#: Rows and quarantined rows by partition; ``all`` where a dataset has none.
Counts = Mapping[str, tuple[int, int]]


def left(before: Counts, said: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """The counts after a decision by which rows left quarantine: it says how many remain of each partition."""
    remain = said["quarantine"]["by_partition"]
    names = {**before, **remain}
    return {name: (before.get(name, (0, 0))[0], int(remain.get(name, 0))) for name in names}


def counted(before: Counts, said: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """The counts after a publication, from those before it and from what its fact says.

    >>> said = {"update": "append", "partition": None, "files": [{"rows": 2}], "quarantine": {"rows": 1}}
    >>> counted({"all": (5, 1)}, said)
    {'all': (7, 2)}
    """
    if said["update"] == "rollback":
        return {name: (part["rows"], part["quarantined"]) for name, part in said["partitions"].items()}
    if said["update"] not in UPDATES:
        # NOTE: a compaction, for example, changes how rows are cut into files only.
        return {**before}
    whole = said["update"] == "replace" and said["partition"] is None
    found = {} if whole else {**before}
    name, held = said["partition"] or "all", said["quarantine"]
    came = int(held["rows"]) - int(held.get("replaced", 0))
    if (standing := said.get("standing")) is None:
        rows, gone = found.get(name, (0, 0)) if said["update"] in INCREMENTAL else (0, 0)
        found[name] = (rows + sum(file["rows"] for file in said["files"]), gone + came)
        return found
    by_partition = held.get("by_partition")
    for part in {**standing, **(by_partition or {})}:
        rows, gone = found.get(part, (0, 0))
        gone = gone + came if by_partition is None else int(by_partition.get(part, 0))
        found[part] = (int(standing.get(part, rows)), gone)
    return found
