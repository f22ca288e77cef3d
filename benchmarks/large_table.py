"""Peak memory of writing, publishing and reading a large table: ``python -m benchmarks.large_table``.

50 million rows × 10 columns go from one query into a candidate, are published, and are read again in two ways: as SQL
over every column, and as a stream of Arrow batches. Each direction is a process of its own,
whose peak memory is printed; nothing is set but what Écluse itself sets.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.storage_cost import COLUMNS, READ, ROWS

DATASET = "products.large"
BAR_GB = 1.0
# NOTE: Linux counts kilobytes, macOS bytes.
_PER_GB = 2**30 if sys.platform == "darwin" else 2**20


def write(root: Path, rows: int, memory: str | None) -> int:
    """A candidate on its branch, written, hashed and synced, and its publication; the rows that are published."""
    database, warehouse = _opened(root)
    with _engine(root, memory) as engine:
        sql = ROWS.format(rows=rows)
        candidate = warehouse.begin(DATASET, engine.describe(sql), partition=None, run_id="run", attempt=1)
        candidate = warehouse.write(engine, candidate, sql, "replace")
    prepared = warehouse.prepare([candidate])
    with database.transaction() as connection:
        prepared.apply(connection)
    database.close()
    return int(candidate.rows)


def read(root: Path, rows: int, memory: str | None) -> int:  # noqa: ARG001 - all directions are called alike
    """Every column of the published snapshot, as SQL."""
    database, warehouse = _opened(root)
    with _engine(root, memory) as engine:
        counts = ", ".join(f"max({name}), count({name})" for name in COLUMNS)
        found = engine.row(READ.format(counts=counts, source=warehouse.scan(DATASET, warehouse.head(DATASET))))
    database.close()
    return int(found[1])


def stream(root: Path, rows: int, memory: str | None) -> int:  # noqa: ARG001 - all directions are called alike
    """Every row of the published snapshot, as Arrow batches."""
    database, warehouse = _opened(root)
    with _engine(root, memory) as engine:
        sql = f"SELECT * FROM {warehouse.scan(DATASET, warehouse.head(DATASET))}"
        found: int = sum(batch.num_rows for batch in engine.batches(sql))
    database.close()
    return found


WORK: dict[str, Callable[[Path, int, str], int]] = {"write": write, "read": read, "stream": stream}


def measure(rows: int, memory: str | None, folder: Path | None = None) -> dict[str, dict[str, float]]:
    """Seconds, CPU seconds, peak GB and rows of each direction."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        return {name: _in_a_process(name, Path(made), rows, memory) for name in WORK}


def _in_a_process(name: str, root: Path, rows: int, memory: str | None) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.large_table", "--work", name, "--root", str(root)]
    command += ["--rows", str(rows), *(["--memory", memory] if memory else [])]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _work(name: str, root: Path, rows: int, memory: str | None) -> dict[str, float]:
    began, before = time.perf_counter(), time.process_time()
    done = WORK[name](root, rows, memory)
    return {
        "rows": done,
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - before,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _PER_GB,
    }


def _engine(root: Path, memory: str | None):  # type: ignore[no-untyped-def]
    from ecluse.engine import Engine

    return Engine(memory_limit=memory, temp_directory=root / "spill")


def _opened(root: Path):  # type: ignore[no-untyped-def]
    from ecluse.store import Database
    from ecluse.warehouse import Warehouse

    database = Database(f"sqlite:///{root / 'ecluse.db'}")
    return database, Warehouse(root / "warehouse", database)


def main() -> None:
    """Print what each direction took; an exit code of 1 where one broke the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--memory", help="DuckDB's own limit, such as 600MB; default: DuckDB's default")
    parser.add_argument(
        "--folder", type=Path, help="where the tables are written; default: the system's temporary folder"
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--work", choices=list(WORK), help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        print(json.dumps(_work(given.work, given.root, given.rows, given.memory)))
        return
    found = measure(given.rows, given.memory, given.folder)
    if given.json:
        print(json.dumps(found))
    else:
        print(f"{given.rows:,} rows × {len(COLUMNS)} columns, DuckDB held to {given.memory or 'its default'}")
        for name, one in found.items():
            took = f"{one['seconds']:7.1f} s {one['cpu']:7.1f} s of CPU {one['peak_gb']:6.2f} GB"
            print(f"  {name:8}{took}   (bar: {BAR_GB:.0f} GB)")
    if any(one["peak_gb"] > BAR_GB or one["rows"] != given.rows for one in found.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
