"""Where data files lie: ``<root>/<table>/data/partition=<key or all>/<run>-<attempt>-<random>/``."""

from __future__ import annotations

import re
import uuid

_FOLDER = re.compile(r"/partition=([^/]+)/")
_ALL = "all"


def new_folder(table: str, partition: str | None, run_id: str, attempt: int) -> str:
    """The path of a folder, below a table's, that nobody else writes to."""
    return f"{table}/data/partition={partition or _ALL}/{run_id}-{attempt}-{uuid.uuid4().hex[:12]}"


def partition_of(location: str) -> str | None:
    """The partition that a data file belongs to; ``None`` in a table without partitions.

    >>> partition_of("file:///w/clean/flights/data/partition=2013-01/7d1f-1-0a/data_0.parquet")
    '2013-01'
    """
    found = _FOLDER.findall(location)
    return None if not found or found[-1] == _ALL else str(found[-1])
