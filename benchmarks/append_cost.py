"""What validating an append costs beside validating the whole table: ``python -m benchmarks.append_cost``.

A table of two files, of which the second holds 1 % of the rows, is validated with twenty expectations (those of
``benchmarks.order_checks``) in three ways, each in a process of its own with two threads:

- ``whole``: all rows, nothing kept;
- ``first``: the large file, and what was measured is kept;
- ``append``: both files, when the first was validated before.

``work`` is the CPU seconds (user and system, all threads) of the call, imports not included. The process that validates
the append has imported and used Great Expectations before, as a service or a scheduler has. ``merged`` counts the
expectations that were answered from the files' states; the others were measured over all rows again.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.order_suite import suite
from benchmarks.orders import made
from benchmarks.others.common import THREADS
from benchmarks.validate_speed import measured

#: Expectations about ranks, or about a mean that is known first: these have no state.
NOT_ADDING_UP = ("expect_column_median_to_be_between", "expect_column_value_z_scores_to_be_less_than")


def files(folder: Path, rows: int) -> list[Path]:
    """The table's two files: ``rows`` rows, and 1 % more that follow them."""
    import duckdb

    whole = made(folder, rows + rows // 100)
    found = [folder / f"{name}_{rows}.parquet" for name in ("before", "appended")]
    for path, where in zip(found, (f"id < {rows}", f"id >= {rows}"), strict=True):
        if not path.exists():
            duckdb.execute(f"COPY (SELECT * FROM read_parquet('{whole}') WHERE {where}) TO '{path}' (COMPRESSION zstd)")
    return found


def asked(rows: int, *, all_of_them: bool) -> Any:
    """The suite, with or without what doesn't add up."""
    found = suite(rows)
    if not all_of_them:
        found.expectations = [e for e in found.expectations if e.expectation_type not in NOT_ADDING_UP]
    return found


def run_side(side: str, folder: Path, rows: int, *, all_of_them: bool) -> None:
    """One side, in this process; prints what it used as JSON."""
    from ecluse.quality import validate

    before, appended = files(folder, rows)
    data = [before] if side == "first" else [before, appended]
    expected = asked(rows, all_of_them=all_of_them)
    validate(_few(folder), asked(1000, all_of_them=True))
    cpu, wall = time.process_time(), time.monotonic()
    result = validate(data, expected, states=None if side == "whole" else folder / "states")
    used = {"work": time.process_time() - cpu, "wall": time.monotonic() - wall}
    merged = sum(r.meta["ecluse"]["executed_by"] == "ecluse (merged)" for r in result.results)
    print(json.dumps({**used, "merged": merged, "asked": len(result.results)}))


def _few(folder: Path) -> Path:
    return made(folder, 1000)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "ecluse-benchmark")
    parser.add_argument("--side", choices=("whole", "first", "append"), help=argparse.SUPPRESS)
    parser.add_argument("--adding-up", action="store_true", help="leave out what has no state")
    given = parser.parse_args()
    if given.side:
        run_side(given.side, given.data, given.rows, all_of_them=not given.adding_up)
        return
    files(given.data, given.rows)
    _few(given.data)
    print(
        f"{given.rows:,} rows x 15 columns and 1 % more, {THREADS} threads, {platform.system()} {platform.machine()}\n"
    )
    print(f"{'suite':18}{'':8}{'work CPU s':>12}{'wall s':>9}{'of whole':>10}{'merged':>10}")
    for name, extra in (("all", []), ("adding up", ["--adding-up"])):
        shutil.rmtree(given.data / "states", ignore_errors=True)
        whole = 0.0
        for side in ("whole", "first", "append"):
            here = [
                sys.executable,
                "-m",
                "benchmarks.append_cost",
                "--rows",
                str(given.rows),
                "--data",
                str(given.data),
            ]
            row = measured([*here, "--side", side, *extra])
            whole = whole or row["work"]
            merged = f"{row['merged']}/{row['asked']}"
            print(f"{name:18}{side:8}{row['work']:12.2f}{row['wall']:9.2f}{row['work'] / whole:10.1%}{merged:>10}")


if __name__ == "__main__":
    main()
