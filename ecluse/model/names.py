"""How datasets, partitions and candidates are named."""

from __future__ import annotations

import re

from ecluse.errors import DefinitionError

#: The column that carries a row's origin (``<first 12 digits of the raw file's SHA-256>:<row number>``) through
#: row-preserving steps. ``ecluse.load`` leaves it out.
ORIGIN = "_origin"

#: What every quarantine table adds to its dataset's columns.
BROKE, REASON, RUN, PARTITION, RAW = "_broke", "_reason", "_run", "_partition", "_raw"

#: The column that names a quarantined row where it is shown, or comes back corrected; no table has it.
ROW = "_row"

_DATASET = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")
_PARTITION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:|-]*")

#: Takes the place of a partition's key where a dataset has no partitions, so no partition may be called that.
ALL = "all"


def dataset_name(name: str) -> str:
    """``name`` itself, where it is a dataset's name: at least two parts of lower-case letters, digits, underscores.

    >>> dataset_name("clean.flights")
    'clean.flights'
    """
    if not _DATASET.match(name) or name.endswith("__quarantine"):
        raise DefinitionError("model.dataset_name", name=name)
    return name


def quarantine_name(dataset: str) -> str:
    """The table that holds a dataset's quarantined rows.

    >>> quarantine_name("clean.flights")
    'clean.flights__quarantine'
    """
    return f"{dataset}__quarantine"


def partition_key(key: str) -> str:
    """``key`` itself, where it can name a folder and a branch that are no other partition's."""
    if key == ALL or not _PARTITION.fullmatch(key):
        raise DefinitionError("model.partition_key", key=key)
    return key


def branch_name(dataset: str, partition: str | None, run: str, attempt: int) -> str:
    """The branch that holds a candidate; ``DefinitionError`` where the partition's key can't name one.

    >>> branch_name("clean.flights", "2013-01", "7d1f", 1)
    'clean.flights/2013-01/7d1f/1'
    """
    return f"{dataset}/{ALL if partition is None else partition_key(partition)}/{run}/{attempt}"


def partition_of_branch(branch: str) -> str | None:
    """The partition of the candidate that a branch holds.

    >>> partition_of_branch("clean.flights/2013-01/7d1f/1")
    '2013-01'
    """
    found = branch.split("/")[1]
    return None if found == ALL else found
