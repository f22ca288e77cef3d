"""What comparing two versions costs, row by row on a key, in time and memory: ``python -m benchmarks.diff_cost``.

Two versions of 10 million rows and 10 columns that share no file; one row in a thousand differs in one column, some are
added and some removed. The memory limit is that of ``ecluse release diff``; peak memory is the process's own.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from ecluse.engine import Engine
from ecluse.model.release import TableVersion
from ecluse.step.diff import diff_versions
from ecluse.store import Database
from ecluse.warehouse import Warehouse

DATASET = "products.wide"
COLUMNS = ", ".join(f"hash(i * {n} + 1) % 100000 AS c{n}" for n in range(2, 8))
ROWS = f"""
SELECT i::BIGINT AS id, {COLUMNS}, md5(i::VARCHAR) AS text, (i % 977)::DOUBLE AS x,
    CASE WHEN {{changed}} AND i % 1000 = 0 THEN -1 ELSE i % 100 END AS n
FROM range({{start}}, {{end}}) r(i)
"""


def measure(rows: int, memory: str) -> dict[str, object]:
    """Seconds and peak memory of one comparison."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        database = Database(f"sqlite:///{root / 'ecluse.db'}")
        warehouse = Warehouse(root / "warehouse", database)
        with Engine(memory_limit=memory, temp_directory=root / "tmp") as engine:
            before = publish(engine, warehouse, database, ROWS.format(changed="false", start=0, end=rows), "a")
            shift = rows // 1000
            after = publish(
                engine, warehouse, database, ROWS.format(changed="true", start=shift, end=rows + shift), "b"
            )
        began, cpu = time.monotonic(), time.process_time()
        with Engine(memory_limit=memory, temp_directory=root / "tmp") as engine:
            found = diff_versions(engine, warehouse, before, after, ("id",))
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
        database.close()
    assert (found.added, found.removed) == (shift, shift)
    assert found.changed == found.columns_changed["n"] > 0
    # NOTE: Linux counts kilobytes, macOS bytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
    return {"rows": rows, "memory_limit": memory, "seconds": seconds, "cpu": cpu, "peak_gb": peak}


def publish(engine: Engine, warehouse: Warehouse, database: Database, sql: str, run: str) -> TableVersion:
    sql = f"SELECT * REPLACE ({', '.join(f'c{n}::BIGINT AS c{n}' for n in range(2, 8))}, n::BIGINT AS n) FROM ({sql})"
    candidate = warehouse.begin(DATASET, engine.describe(sql), partition=None, run_id=run, attempt=1)
    candidate = warehouse.write(engine, candidate, sql, "replace")
    prepared = warehouse.prepare([candidate])
    with database.transaction() as connection:
        prepared.apply(connection)
    uuid = warehouse.table_uuid(DATASET)
    assert candidate.snapshot_id is not None
    return TableVersion(DATASET, uuid, candidate.snapshot_id, candidate.files, "", "")


def main() -> None:
    """Print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--memory", default="1GB")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.rows, given.memory)
    if given.json:
        print(json.dumps(found))
        return
    print(f"{found['rows']:,} rows × 10 columns against as many, no file shared, limit {found['memory_limit']}")
    print(f"  {found['seconds']:.1f} s, {found['cpu']:.1f} s of CPU, peak memory {found['peak_gb']:.2f} GB")


if __name__ == "__main__":
    main()
