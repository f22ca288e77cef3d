"""What validating 10 M rows costs, side by side with others: ``python -m benchmarks.validate_speed``.

Each side runs in a process of its own, one after the other, on the same Parquet file and two threads, and is asked the
checks of ``benchmarks.order_checks``: 20, 40, and those of the 40 that need neither a regular expression nor a
grouping. ``work`` is the CPU seconds (user and system, all threads) from the call on the file to the result, imports
not included; ``process`` is all that the process used, imports included; ``peak`` is the most memory that the system
counted for the process.

- ``floor``: DuckDB counts every column; what has no missing value it knows from the file's footer;
- ``hash``: DuckDB hashes every value, the least that looking at all of them costs;
- ``imports``: the suite and everything that ``ecluse`` imports, and no work: what the process needs before it begins;
- ``ecluse``: ``ecluse.quality.validate`` on the file;
- ``gx``: Great Expectations on pandas, as its documentation shows it;
- the tools of ``benchmarks.others``, each in an environment of its own: ``python -m benchmarks.others`` makes them.
  They are no dependencies of Écluse; one that isn't there is skipped.
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
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.order_checks import SUITES
from benchmarks.order_suite import suite
from benchmarks.orders import made
from benchmarks.others.common import THREADS
from benchmarks.others.environments import TOOLS, python_of

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "speed.md"
HERE = ("duckdb", "great-expectations", "pandas", "pyarrow")
#: Where the page's table begins and ends.
BEGIN, END = "<!-- measured -->\n", "<!-- end -->\n"


def _counting(path: Path, count: str) -> Callable[[], Any]:
    import duckdb

    names = duckdb.read_parquet(str(path)).columns
    listed = ", ".join(count.format(f'"{name}"') for name in names)

    def work() -> Any:
        with duckdb.connect(config={"threads": THREADS}) as connection:
            return connection.execute(f"SELECT {listed} FROM read_parquet('{path}')").fetchall() and {}

    return work


def floor(path: Path, _rows: int, _name: str = "", _limit: str | None = None) -> Callable[[], Any]:
    """What counting every column costs."""
    return _counting(path, "count({})")


def hashed(path: Path, _rows: int, _name: str, _limit: str | None) -> Callable[[], Any]:
    """What looking at every value costs."""
    return _counting(path, "max(hash({}))")


def imports(_path: Path, rows: int, name: str, _limit: str | None) -> Callable[[], Any]:
    """What is there before anything is read."""
    from ecluse.quality import validate

    asked = suite(rows, name)
    return lambda: {"checks": len(asked.expectations), "by": validate.__name__}


def ecluse(path: Path, rows: int, name: str, limit: str | None) -> Callable[[], Any]:
    """Écluse on the file, within so much memory."""
    from ecluse.quality import validate

    asked = suite(rows, name)
    return lambda: _told(validate(path, asked, memory_limit=limit))


def gx(path: Path, rows: int, name: str, _limit: str | None) -> Callable[[], Any]:
    """GX on pandas."""
    import great_expectations
    import pandas as pd

    asked = suite(rows, name)
    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("orders")
    whole = asset.add_batch_definition_whole_dataframe("whole")
    return lambda: _told(whole.get_batch({"dataframe": pd.read_parquet(path)}).validate(asked, result_format="SUMMARY"))


def _told(result: Any) -> dict[str, int]:
    return {"broken": sum(not r.success for r in result.results)}


SIDES = {"floor": floor, "hash": hashed, "imports": imports, "ecluse": ecluse, "gx": gx}


def run_side(side: str, path: Path, rows: int, name: str, limit: str | None) -> None:
    """One side, in this process; prints what it used as JSON."""
    work = SIDES[side](path, rows, name, limit)
    cpu, wall = time.process_time(), time.monotonic()
    told = work()
    print(json.dumps({"work": time.process_time() - cpu, "wall": time.monotonic() - wall, **told}))


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


def commands(
    path: Path, rows: int, name: str, sides: Sequence[str], others: Path, limit: str | None
) -> dict[str, list[str]]:
    """How each side is run; tools that aren't there are left out, and named."""
    here = [sys.executable, "-m", "benchmarks.validate_speed", "--rows", str(rows), "--data", str(path.parent)]
    here += ["--memory-limit", limit] if limit else []
    found = {side: [*here, "--side", side, "--suites", name] for side in sides if side in SIDES}
    for tool in (side for side in sides if side in TOOLS):
        python = python_of(others, tool)
        if python is None:
            print(f"{tool} is skipped: no environment in {others / tool}; python -m benchmarks.others makes it")
        else:
            found[tool] = [str(python), "-m", f"benchmarks.others.{TOOLS[tool].script}", str(path), name]
    return found


def tables(found: dict[str, dict[str, dict[str, Any]]], rows: int) -> str:
    """What was measured, as Markdown."""
    used = ", ".join(f"{name} {version(name)}" for name in HERE)
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    others = {
        " with ".join(f"{tool} {number}" for tool, number in side["versions"].items())
        for sides in found.values()
        for side in sides.values()
        if "versions" in side
    }
    lines = [
        f"{rows:,} rows × 15 columns, Parquet, {THREADS} threads; {machine}; {datetime.now(UTC):%Y-%m-%d}.",
        "",
        f"{used}; in environments of their own: {', '.join(sorted(others)) or 'none'}.",
    ]
    for name, sides in found.items():
        count = len(SUITES[name])
        lines += ["", f"**{count} checks{' without expressions and groupings' if name == 'plain' else ''}**", ""]
        lines += ["| | CPU s | wall s | CPU s of the process | peak GB | broken |", "|---|---|---|---|---|---|"]
        for side, row in sorted(sides.items(), key=lambda item: item[1]["work"]):
            shown = "".join(f" {row[key]:.2f} |" for key in ("work", "wall", "process", "peak"))
            lines.append(f"| {TOOLS[side].title if side in TOOLS else side} |{shown} {row.get('broken', '')} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, and write them into the page with ``--write``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(tempfile.gettempdir()) / "ecluse-benchmark"
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--data", type=Path, default=data)
    parser.add_argument("--suites", nargs="+", choices=SUITES, default=list(SUITES))
    parser.add_argument("--sides", nargs="+", choices=[*SIDES, *TOOLS], default=[*SIDES, *TOOLS])
    parser.add_argument("--other-env", type=Path, default=data / "others", help="the folder of other tools")
    parser.add_argument("--memory-limit", metavar="SIZE", help='of ecluse, such as "2GB": 100 M rows need no more')
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help=f"write the tables into {PAGE.relative_to(ROOT)}")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    path = made(given.data, given.rows)
    if given.side:
        run_side(given.side, path, given.rows, given.suites[0], given.memory_limit)
        return
    found = {
        name: {
            side: measured(command)
            for side, command in commands(
                path, given.rows, name, given.sides, given.other_env, given.memory_limit
            ).items()
        }
        for name in given.suites
    }
    if given.json:
        print(json.dumps(found))
        return
    text = tables(found, given.rows)
    print(text)
    if given.write:
        page = PAGE.read_text()
        before, rest = page.split(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
