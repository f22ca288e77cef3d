"""What the warehouse costs over bare DuckDB, at 10 million rows × 10 columns: ``python -m benchmarks.storage_cost``.

Every figure is of a process of its own (CPU seconds of all threads, children included, and peak memory); bare and
guarded take turns in one run, and the medians are compared. ``small`` is one publication of one row, from the written
candidate to the committed transaction, in a table that has 200 snapshots: in CPU seconds, and by the clock, as it waits
for the disk.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

DATASET = "products.wide"
ROWS = """
SELECT i::BIGINT AS id, (hash(i) % 100000)::BIGINT AS a, (hash(i + 1) % 1000)::BIGINT AS b, (i % 977)::DOUBLE AS x,
    (hash(i + 2) % 10000)::DOUBLE / 100 AS y, TIMESTAMP '2013-01-01' + to_seconds(i::BIGINT) AS moment,
    chr((65 + i % 16)::INTEGER) AS carrier, 'N' || (hash(i) % 5000)::VARCHAR AS tail,
    hash(i) % 3 = 0 AS late, DATE '2013-01-01' + (i % 365)::INTEGER AS day
FROM range({rows}) r(i)
"""
READ = "SELECT {counts} FROM {source}"
COLUMNS = ("id", "a", "b", "x", "y", "moment", "carrier", "tail", "late", "day")
SNAPSHOTS = 200
# NOTE: Linux counts kilobytes, macOS bytes.
_PER_GB = 2**30 if sys.platform == "darwin" else 2**20


def make_input(root: Path, rows: int) -> None:
    """The rows as one Parquet file, which both sides read."""
    from ecluse.engine import Engine

    with Engine() as engine:
        engine.copy(ROWS.format(rows=rows), root / "input")


def bare_write(root: Path) -> None:
    """DuckDB's own COPY, with its own settings but for zstd."""
    from ecluse.engine import Engine, literal

    target = root / "bare.parquet"
    with Engine() as engine:
        engine.run(f"COPY ({_input(root)}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)")


def guarded_write(root: Path) -> None:
    """A candidate on its branch, written, hashed and synced, and its publication."""
    from ecluse.engine import Engine

    database, warehouse = _opened(root / "written")
    with Engine() as engine:
        candidate = warehouse.begin(DATASET, engine.describe(_input(root)), partition=None, run_id="run", attempt=1)
        candidate = warehouse.write(engine, candidate, _input(root), "replace")
    prepared = warehouse.prepare([candidate])
    with database.transaction() as connection:
        prepared.apply(connection)
    database.close()


def bare_read(root: Path) -> None:
    """Every column of the published files by ``read_parquet``."""
    from ecluse.engine import Engine, literal

    files = [str(path) for path in sorted((root / "written").rglob("*.parquet"))]
    with Engine() as engine:
        engine.rows(_counted(f"read_parquet({literal(files)})"))


def guarded_read(root: Path) -> None:
    """Every column of the published snapshot, planned by Iceberg and read by field id."""
    from ecluse.engine import Engine

    database, warehouse = _opened(root / "written")
    snapshot = warehouse.head(DATASET)
    assert snapshot is not None
    with Engine() as engine:
        engine.rows(_counted(warehouse.scan(DATASET, snapshot)))
    database.close()


WORK: dict[str, Callable[[Path], None]] = {
    "bare_write": bare_write,
    "guarded_write": guarded_write,
    "bare_read": bare_read,
    "guarded_read": guarded_read,
}


def small_publications(root: Path, repeats: int) -> tuple[float, float]:
    """CPU seconds, and seconds by the clock, of one small publication at 200 snapshots, the medians."""
    from ecluse.engine import Engine

    database, warehouse = _opened(root / "small")
    cpu, clock = [], []
    with Engine() as engine:
        for number in range(SNAPSHOTS + repeats):
            sql = f"SELECT {number}::BIGINT AS id"
            candidate = warehouse.begin(DATASET, {"id": "BIGINT"}, partition=None, run_id=f"{number}", attempt=1)
            candidate = warehouse.write(engine, candidate, sql, "append")
            before, began = time.process_time(), time.perf_counter()
            prepared = warehouse.prepare([candidate])
            with database.transaction() as connection:
                prepared.apply(connection)
            cpu.append(time.process_time() - before)
            clock.append(time.perf_counter() - began)
    database.close()
    return statistics.median(cpu[SNAPSHOTS:]), statistics.median(clock[SNAPSHOTS:])


def measure(rows: int, repeats: int) -> dict[str, float]:
    """Medians of CPU seconds and peak GB of each side, their ratios, and the small publication."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in WORK}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_input(root, rows)
        for turn in range(repeats):
            for name in WORK:
                place = root / f"turn-{turn}"
                place.mkdir(exist_ok=True)
                (place / "input").exists() or (place / "input").symlink_to(root / "input")
                found[name].append(_in_a_process(name, place))
        small_cpu, small_seconds = small_publications(root, 20)
    medians = {
        f"{name}_{what}": statistics.median(turn[what] for turn in turns)
        for name, turns in found.items()
        for what in ("cpu", "peak_gb")
    }
    return {
        "rows": rows,
        **medians,
        "write_ratio": medians["guarded_write_cpu"] / medians["bare_write_cpu"],
        "read_ratio": medians["guarded_read_cpu"] / medians["bare_read_cpu"],
        "read_memory_ratio": medians["guarded_read_peak_gb"] / medians["bare_read_peak_gb"],
        "small_cpu": small_cpu,
        "small_seconds": small_seconds,
    }


def _in_a_process(name: str, root: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.storage_cost", "--work", name, "--root", str(root)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def _work(name: str, root: Path) -> dict[str, float]:
    import ecluse.engine
    import ecluse.warehouse  # noqa: F401 - imports are paid before the clock starts, on both sides

    before = time.process_time()
    WORK[name](root)
    cpu = time.process_time() - before
    return {"cpu": cpu, "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _PER_GB}


def _opened(root: Path):  # type: ignore[no-untyped-def]
    from ecluse.store import Database
    from ecluse.warehouse import Warehouse

    root.mkdir(exist_ok=True)
    database = Database(f"sqlite:///{root / 'ecluse.db'}")
    return database, Warehouse(root / "warehouse", database)


def _input(root: Path) -> str:
    from ecluse.engine import literal

    files = [str(path) for path in sorted((root / "input").glob("*.parquet"))]
    return f"SELECT * FROM read_parquet({literal(files)})"


def _counted(source: str) -> str:
    # NOTE: a plain count of a column without nulls is answered from the footer; max decodes it.
    return READ.format(counts=", ".join(f"max({name}), count({name})" for name in COLUMNS), source=source)


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--work", choices=list(WORK), help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        print(json.dumps(_work(given.work, given.root)))
        return
    found = measure(given.rows, given.repeats)
    if given.json:
        print(json.dumps(found))
        return
    print(f"{given.rows:,} rows × {len(COLUMNS)} columns, CPU seconds and peak memory, median of {given.repeats}")
    for side in ("write", "read"):
        for kind in ("bare", "guarded"):
            cpu, peak = found[f"{kind}_{side}_cpu"], found[f"{kind}_{side}_peak_gb"]
            print(f"  {kind:8}{side:6} {cpu:6.2f} s {peak:6.2f} GB")
    print(f"  write and publish over a bare COPY     {found['write_ratio']:.2f}   (bar: 1.15)")
    print(f"  read over read_parquet                 {found['read_ratio']:.2f}   (bar: 1.25)")
    print(f"  memory of reading over read_parquet    {found['read_memory_ratio']:.2f}   (bar: 1.2)")
    small, waited = (found[f"small_{what}"] * 1000 for what in ("cpu", "seconds"))
    print(f"  a small publication at {SNAPSHOTS} snapshots     {small:.0f} ms (bar: 60), by the clock {waited:.0f} ms")


if __name__ == "__main__":
    main()
