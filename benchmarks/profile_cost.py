"""What profiling 10 M rows costs, side by side with others: ``python -m benchmarks.profile_cost``.

Each side runs in a process of its own, one after the other, on the same Parquet file and two threads.
What ``work``, ``process`` and ``peak`` are stands in ``benchmarks.validate_speed``.

- ``floor``: DuckDB counts every column;
- ``summarize``: DuckDB's own ``SUMMARIZE``, which finds no keys, frequent values, shapes or pairs in order;
- ``profile``: ``ecluse.quality.profile``;
- ``suggest``: ``ecluse.quality.suggest``, which profiles, and asks everything that it proposes of all rows.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.orders import made
from benchmarks.validate_speed import THREADS, floor, measured


def summarize(path: Path, _rows: int) -> Callable[[], Any]:
    """DuckDB's own summary."""
    import duckdb

    def work() -> Any:
        with duckdb.connect(config={"threads": THREADS}) as connection:
            found = connection.execute(f"SUMMARIZE SELECT * FROM read_parquet('{path}')").fetchall()
            return {"columns": len(found)}

    return work


def profile(path: Path, _rows: int) -> Callable[[], Any]:
    """Écluse's profile."""
    from ecluse.quality import profile as profiled

    def work() -> Any:
        (table,) = profiled(path).tables
        return {"columns": len(table.columns), "keys": len(table.keys), "pairs": len(table.pairs)}

    return work


def suggest(path: Path, _rows: int) -> Callable[[], Any]:
    """Écluse's suggestion."""
    from ecluse.quality import gx
    from ecluse.quality import suggest as suggested

    gx.expectations()

    def work() -> Any:
        found = suggested(path)
        return {"expectations": len(found.proposals), "left out": len(found.left_out)}

    return work


SIDES = {"floor": floor, "summarize": summarize, "profile": profile, "suggest": suggest}


def run_side(name: str, path: Path, rows: int) -> None:
    """One side, in this process; prints what it used as JSON."""
    work = SIDES[name](path, rows)
    cpu, wall = time.process_time(), time.monotonic()
    told = work()
    print(json.dumps({"work": time.process_time() - cpu, "wall": time.monotonic() - wall, "told": told}))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "ecluse-benchmark")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    path = made(given.data, given.rows)
    if given.side:
        run_side(given.side, path, given.rows)
        return
    here = [sys.executable, "-m", "benchmarks.profile_cost", "--rows", str(given.rows), "--data", str(given.data)]
    found = {side: measured([*here, "--side", side]) for side in given.sides}
    used = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "great-expectations", "pyarrow"))
    print(f"{given.rows:,} rows x 15 columns, {THREADS} threads")
    print(
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, {used}\n"
    )
    print(f"{'':10}{'work CPU s':>12}{'wall s':>9}{'process CPU s':>16}{'peak GB':>10}   told")
    for name, row in found.items():
        told = "" if row["told"] is None else ", ".join(f"{k} {v:,}" for k, v in row["told"].items())
        print(f"{name:10}{row['work']:12.2f}{row['wall']:9.2f}{row['process']:16.2f}{row['peak']:10.2f}   {told}")


if __name__ == "__main__":
    main()
