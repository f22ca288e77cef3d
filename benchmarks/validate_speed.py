"""What validating 10 M rows costs, side by side with others: ``python -m benchmarks.validate_speed``.

Each side runs in a process of its own, one after the other, on the same Parquet file and two threads. ``work`` is the
CPU seconds (user and system, all threads) from the call on the file to the result, imports not included; ``process``
is all that the process used, imports included; ``peak`` is the most memory that the system counted for the process.

- ``floor``: DuckDB counts every column, the least that any check of all columns can cost;
- ``ecluse``: ``ecluse.quality.validate`` on the file;
- ``gx``: Great Expectations on pandas, as its documentation shows it;
- ``pandera``: pandera on Polars with checks that say the same, where ``--other-env`` names an environment that has them
  (``python -m venv E && E/bin/pip install "pandera[polars]"``). It is no dependency of Écluse.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.orders import COUNTRIES, STATUSES, made

THREADS = 2
ROOT = Path(__file__).parents[1]


def suite(rows: int) -> Any:
    """Twenty expectations; some of them are broken, so that samples of failing rows are paid for too."""
    import great_expectations as gx
    import great_expectations.expectations as gxe

    return gx.ExpectationSuite(
        "orders",
        expectations=[
            gxe.ExpectTableRowCountToEqual(value=rows),
            gxe.ExpectColumnValuesToNotBeNull(column="id"),
            gxe.ExpectColumnValuesToNotBeNull(column="amount", mostly=0.95),
            gxe.ExpectColumnValuesToNotBeNull(column="ordered_at"),
            gxe.ExpectColumnValuesToBeUnique(column="id"),
            gxe.ExpectColumnValuesToBeBetween(column="customer", min_value=0, max_value=3_000_000),
            gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0, max_value=999),
            gxe.ExpectColumnValuesToBeBetween(column="quantity", min_value=1, max_value=12),
            gxe.ExpectColumnValuesToBeBetween(column="price", min_value=5, max_value=1005, strict_max=True),
            gxe.ExpectColumnValuesToBeBetween(column="day_of_year", min_value=0, max_value=365),
            gxe.ExpectColumnValuesToBeInSet(column="country", value_set=COUNTRIES),
            gxe.ExpectColumnValuesToBeInSet(column="status", value_set=STATUSES[:-1], mostly=0.7),
            gxe.ExpectColumnValuesToMatchRegex(column="email", regex=r"^[a-z0-9.]+@[a-z0-9]+\.example$"),
            gxe.ExpectColumnValuesToMatchRegex(column="token", regex=r"^[0-9a-f]{12}$"),
            gxe.ExpectColumnValueLengthsToEqual(column="token", value=12),
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="shipped_at", column_B="ordered_at", ignore_row_if="either_value_is_missing"
            ),
            gxe.ExpectColumnMeanToBeBetween(column="discount", min_value=0.4, max_value=0.6),
            gxe.ExpectColumnMedianToBeBetween(column="price", min_value=400, max_value=600),
            gxe.ExpectColumnValueZScoresToBeLessThan(column="score", threshold=6, double_sided=True),
            gxe.ExpectColumnUniqueValueCountToBeBetween(column="country", min_value=10, max_value=10),
        ],
    )


def floor(path: Path, _rows: int) -> Callable[[], Any]:
    """The decode floor."""
    import duckdb

    names = duckdb.read_parquet(str(path)).columns
    listed = ", ".join(f'count("{name}")' for name in names)

    def work() -> Any:
        with duckdb.connect(config={"threads": THREADS}) as connection:
            return connection.execute(f"SELECT {listed} FROM read_parquet('{path}')").fetchall() and None

    return work


def ecluse(path: Path, rows: int) -> Callable[[], Any]:
    """Écluse on the file."""
    from ecluse.quality import validate

    asked = suite(rows)
    return lambda: _told(validate(path, asked))


def gx(path: Path, rows: int) -> Callable[[], Any]:
    """GX on pandas."""
    import great_expectations
    import pandas as pd

    asked = suite(rows)
    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("orders")
    whole = asset.add_batch_definition_whole_dataframe("whole")
    return lambda: _told(whole.get_batch({"dataframe": pd.read_parquet(path)}).validate(asked, result_format="SUMMARY"))


def _told(result: Any) -> dict[str, int]:
    """How many expectations hold, and how many values break one."""
    broken = sum(r.result.get("unexpected_count") or 0 for r in result.results if r.result)
    return {"met": sum(bool(r.success) for r in result.results), "unexpected": int(broken)}


SIDES = {"floor": floor, "ecluse": ecluse, "gx": gx}


def run_side(name: str, path: Path, rows: int) -> None:
    """One side, in this process; prints what it used as JSON."""
    work = SIDES[name](path, rows)
    cpu, wall = time.process_time(), time.monotonic()
    told = work()
    print(json.dumps({"work": time.process_time() - cpu, "wall": time.monotonic() - wall, "told": told}))


def measured(command: list[str]) -> dict[str, Any]:
    """What a command told, with the CPU seconds and the peak memory that the system counted for its process."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "POLARS_MAX_THREADS": str(THREADS)}
    environment["PYTHONWARNINGS"] = "ignore"
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    # NOTE: Linux counts kilobytes, macOS bytes.
    unit = 2**20 if sys.platform == "linux" else 2**30
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return {**found, "process": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / unit}


def compare(rows: int, folder: Path, sides: list[str], other: Path | None) -> dict[str, dict[str, Any]]:
    """What each side used."""
    path = made(folder, rows)
    here = [sys.executable, "-m", "benchmarks.validate_speed", "--rows", str(rows), "--data", str(folder)]
    commands = {side: [*here, "--side", side] for side in sides}
    if other is not None:
        script = Path(__file__).with_name("pandera_polars.py")
        commands["pandera"] = [str(other / "bin" / "python"), str(script), str(path)]
    return {name: measured(command) for name, command in commands.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "ecluse-benchmark")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--other-env", type=Path, help="an environment that has pandera[polars]")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        run_side(given.side, made(given.data, given.rows), given.rows)
        return
    found = compare(given.rows, given.data, given.sides, given.other_env)
    if given.json:
        print(json.dumps(found))
        return
    used = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "great-expectations", "pandas", "pyarrow"))
    print(f"{given.rows:,} rows x 15 columns, 20 expectations, {THREADS} threads")
    print(
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, {used}\n"
    )
    print(f"{'':10}{'work CPU s':>12}{'wall s':>9}{'process CPU s':>16}{'peak GB':>10}   told")
    for name, row in found.items():
        told = "" if row["told"] is None else ", ".join(f"{k} {v:,}" for k, v in row["told"].items())
        print(f"{name:10}{row['work']:12.2f}{row['wall']:9.2f}{row['process']:16.2f}{row['peak']:10.2f}   {told}")


if __name__ == "__main__":
    main()
