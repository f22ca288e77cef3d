"""How many rows a dataset holds, and holds back, by partition: what its publications say one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecluse.model.update import INCREMENTAL

#: Rows and quarantined rows by partition; ``all`` where a dataset has none.
Counts = Mapping[str, tuple[int, int]]


def counted(before: Counts, said: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """The counts after a publication, from those before it and from what its fact says.

    >>> said = {"update": "append", "partition": None, "files": [{"rows": 2}], "quarantine": {"rows": 1}}
    >>> counted({"all": (5, 1)}, said)
    {'all': (7, 2)}
    """
    if said["update"] == "rollback":
        return {name: (part["rows"], part["quarantined"]) for name, part in said["partitions"].items()}
    found = {**before}
    name, held = said["partition"] or "all", said["quarantine"]
    if (standing := said.get("standing")) is None:
        rows, gone = found.get(name, (0, 0)) if said["update"] in INCREMENTAL else (0, 0)
        found[name] = (rows + sum(file["rows"] for file in said["files"]), gone + int(held["rows"]))
        return found
    by_partition = held.get("by_partition")
    for part, rows in standing.items():
        if by_partition is None:
            found[part] = (int(rows), found.get(part, (0, 0))[1] + int(held["rows"]))
        else:
            found[part] = (int(rows), int(by_partition.get(part, 0)))
    return found
