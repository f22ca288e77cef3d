"""Where the time of a validation goes: ``python -m benchmarks.validate_profile``.

The checks of ``benchmarks.order_checks`` are asked of 10 M rows; printed is the CPU time of each statement that takes
more than a hundredth of the whole, with its text, and what all the others take.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.order_checks import SUITES
from benchmarks.order_suite import suite
from benchmarks.orders import made
from ecluse.engine import Engine
from ecluse.quality import validate


def timed(method: Callable[..., Any], spent: dict[str, float]) -> Callable[..., Any]:
    """A method of the engine that adds its CPU time to that of its statement."""

    def call(engine: Engine, sql: str, *given: Any) -> Any:
        before = time.process_time()
        try:
            return method(engine, sql, *given)
        finally:
            spent[sql] = spent.get(sql, 0.0) + time.process_time() - before

    return call


def main() -> None:
    """Print the profile."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "ecluse-benchmark")
    parser.add_argument("--suite", choices=SUITES, default="20")
    given = parser.parse_args()
    path, asked = made(given.data, given.rows), suite(given.rows, given.suite)
    spent: dict[str, float] = {}
    for name in ("rows", "row", "run", "arrow"):
        setattr(Engine, name, timed(getattr(Engine, name), spent))
    before = time.process_time()
    validate(path, asked)
    whole = time.process_time() - before
    shown = {sql: cpu for sql, cpu in sorted(spent.items(), key=lambda item: -item[1]) if cpu > whole / 100}
    print(f"{given.rows:,} rows, {len(asked.expectations)} expectations: {whole:.2f} CPU s")
    for sql, cpu in shown.items():
        print(f"{cpu:6.2f}  {sql}")
    print(f"{sum(spent.values()) - sum(shown.values()):6.2f}  {len(spent) - len(shown)} other statements")
    print(f"{whole - sum(spent.values()):6.2f}  planning and judging")


if __name__ == "__main__":
    main()
