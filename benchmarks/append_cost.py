"""What validating an append costs beside validating the whole table: ``python -m benchmarks.append_cost``.

A table is validated with twenty and with forty expectations (those of ``benchmarks.order_checks``) in three ways, each
in a process of its own with two threads:

- ``whole``: the table with 1 % appended, all rows, nothing kept;
- ``first``: the table before, and what was measured is kept;
- ``append``: 1 % is appended to it, five times one after the other: the median of the five validations.

``work`` is the CPU seconds (user and system, all threads) of a call, imports not included: each process has validated a
thousand rows before, as a service or a scheduler has. ``merged`` counts the expectations that were answered from the
files' states; the others were measured over all rows. ``kept`` is what the states take on disk in the end. With
``--times`` all of it is done several times in turns, and each number is the median.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.order_checks import SUITES
from benchmarks.order_suite import suite
from benchmarks.orders import made
from benchmarks.others.common import THREADS
from benchmarks.validate_speed import measured

SIDES = ("whole", "first", "append")
APPENDS = 5


def files(folder: Path, rows: int) -> list[Path]:
    """The table's file of ``rows`` rows, and files of 1 % more that follow it."""
    import duckdb

    more = rows // 100
    whole = made(folder, rows + APPENDS * more)
    bounds = [0, *(rows + number * more for number in range(APPENDS + 1))]
    found = [folder / f"orders_{low}_to_{high}.parquet" for low, high in pairwise(bounds)]
    for path, (low, high) in zip(found, pairwise(bounds), strict=True):
        if not path.exists():
            # A file that is there is whole: a run that is cut off leaves none of that name.
            part = path.with_suffix(".part")
            rows_of = f"SELECT * FROM read_parquet('{whole}') WHERE id >= {low} AND id < {high}"
            duckdb.execute(f"COPY ({rows_of}) TO '{part}' (FORMAT parquet, COMPRESSION zstd)")
            part.rename(path)
    return found


def run_side(side: str, folder: Path, rows: int, name: str) -> None:
    """One side, in this process; prints what it used as JSON."""
    from ecluse.quality import validate

    table = files(folder, rows)
    with tempfile.TemporaryDirectory() as other:
        validate(_few(folder), suite(1000, name), states=other)
    states = None if side == "whole" else folder / "states"
    used = []
    for count in {"whole": [2], "first": [1], "append": range(2, APPENDS + 2)}[side]:
        cpu, wall = time.process_time(), time.monotonic()
        result = validate(table[:count], suite(rows, name), states=states)
        used.append({"work": time.process_time() - cpu, "wall": time.monotonic() - wall})
    merged = sum(r.meta["ecluse"]["executed_by"] == "ecluse (merged)" for r in result.results)
    medians = {key: statistics.median(each[key] for each in used) for key in ("work", "wall")}
    print(json.dumps({**medians, "merged": merged, "asked": len(result.results)}))


def _few(folder: Path) -> Path:
    return made(folder, 1000)


def of_table(folder: Path, rows: int, name: str, times: int) -> dict[str, dict[str, Any]]:
    """Each side's numbers, the median of several runs in turns."""
    here = [sys.executable, "-m", "benchmarks.append_cost", "--rows", str(rows), "--data", str(folder)]
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for _ in range(times):
        shutil.rmtree(folder / "states", ignore_errors=True)
        for side in SIDES:
            row = measured([*here, "--side", side, "--suites", name])
            kept = sum(path.stat().st_size for path in (folder / "states").glob("*"))
            found[side].append({**row, "kept": kept / 10**6})
    return {
        side: {**rows[0], **{key: statistics.median(row[key] for row in rows) for key in ("work", "wall", "kept")}}
        for side, rows in found.items()
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "ecluse-benchmark")
    parser.add_argument("--suites", nargs="+", choices=SUITES, default=["20", "40"])
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        run_side(given.side, given.data, given.rows, given.suites[0])
        return
    files(given.data, given.rows)
    _few(given.data)
    print(
        f"{given.rows:,} rows x 15 columns and 1 % more, {THREADS} threads, {platform.system()} {platform.machine()}\n"
    )
    print(f"{'checks':8}{'':8}{'work CPU s':>12}{'wall s':>9}{'of whole':>10}{'merged':>10}{'kept MB':>10}")
    for name in given.suites:
        sides = of_table(given.data, given.rows, name, given.times)
        for side, row in sides.items():
            merged = f"{row['merged']}/{row['asked']}"
            share = row["work"] / sides["whole"]["work"]
            numbers = f"{row['work']:12.2f}{row['wall']:9.2f}{share:10.1%}{merged:>10}{row['kept']:10.0f}"
            print(f"{name:8}{side:8}{numbers}")


if __name__ == "__main__":
    main()
